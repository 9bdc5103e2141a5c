import { createCipheriv, pbkdf2Sync } from "node:crypto";
import { expect } from "chai";
import { decryptValue, encryptValue, newCrypter, openCrypter, passphraseFrom } from "../../local/engine/crypto";

/** The format, written down a second time from the real CLI's source, with a fixed salt and nonce. */
function reference(passphrase: string, salt: Buffer, nonce: Buffer, plaintext: string): string {
  const key = pbkdf2Sync(passphrase, salt, 1_000_000, 32, "sha256");
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const body = cipher.update(plaintext, "utf8", "hex") + cipher.final("hex") + cipher.getAuthTag().toString("hex");
  return ["v1", nonce.toString("base64"), Buffer.from(body, "hex").toString("base64")].join(":");
}

const SALT = Buffer.from("0001020304050607", "hex");
const NONCE = Buffer.from("101112131415161718191a1b", "hex");

describe("passphrase secrets", () => {
  it("reads a stack made elsewhere with the same passphrase", async () => {
    const salt = `v1:${SALT.toString("base64")}:${reference("open sesame", SALT, NONCE, "pulumi")}`;
    const crypter = await openCrypter("open sesame", salt);
    expect(crypter.decrypt(reference("open sesame", SALT, NONCE, "größe: 5 €"))).to.equal("größe: 5 €");
    expect(crypter.salt).to.equal(salt);
  });

  it("writes values in the same form, with a nonce of their own each", () => {
    const key = pbkdf2Sync("open sesame", SALT, 1_000_000, 32, "sha256");
    expect(encryptValue(key, "value", NONCE)).to.equal(reference("open sesame", SALT, NONCE, "value"));
    expect(encryptValue(key, "value")).to.not.equal(encryptValue(key, "value"));
    expect(decryptValue(key, encryptValue(key, ""))).to.equal("");
  });

  it("makes a salt that opens with its passphrase and no other", async () => {
    const made = await newCrypter("right");
    expect((await openCrypter("right", made.salt)).decrypt(made.encrypt("x"))).to.equal("x");
    const refused = await openCrypter("wrong", made.salt).then(() => "opened", String);
    expect(refused).to.contain("incorrect passphrase").and.contain("PULUMI_CONFIG_PASSPHRASE").and.not.contain("wrong");
  });

  it("refuses values that were cut or changed", () => {
    const key = Buffer.alloc(32, 1);
    const value = encryptValue(key, "value", NONCE);
    expect(() => decryptValue(key, value.slice(0, -8) + "AAAAAAA=")).to.throw();
    expect(() => decryptValue(key, "v2:a:b")).to.throw("v1:<nonce>:<ciphertext>");
  });

  it("takes the passphrase from the environment, an empty one too", () => {
    expect(passphraseFrom({ PULUMI_CONFIG_PASSPHRASE: "" })).to.equal("");
    expect(() => passphraseFrom({})).to.throw("set PULUMI_CONFIG_PASSPHRASE");
  });
});
