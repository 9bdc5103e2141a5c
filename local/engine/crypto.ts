/**
 * Pulumi's passphrase secrets: AES-256-GCM with a key derived from the passphrase by PBKDF2. Values look like
 * `v1:<nonce>:<ciphertext+tag>`, a stack's salt like `v1:<salt>:<encrypted "pulumi">`, so that a wrong
 * passphrase is noticed before anything is decrypted with it.
 */
import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { EngineError } from "./errors";

const ITERATIONS = 1_000_000;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 8;
const CHECK_TEXT = "pulumi";

export interface Crypter {
  /** What a stack file stores as `encryptionsalt`. */
  readonly salt: string;
  encrypt(plaintext: string): string;
  decrypt(ciphertext: string): string;
}

export function encryptValue(key: Buffer, plaintext: string, nonce: Buffer = randomBytes(NONCE_BYTES)): string {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
}

export function decryptValue(key: Buffer, value: string): string {
  const [version, nonceText, sealedText, ...rest] = value.split(":");
  if (version !== "v1" || nonceText === undefined || sealedText === undefined || rest.length > 0) {
    throw new EngineError("a secret value is not in the form v1:<nonce>:<ciphertext>; set it again with: config set --secret KEY");
  }
  const sealed = Buffer.from(sealedText, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonceText, "base64"));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()]).toString("utf8");
}

const keys = new Map<string, Promise<Buffer>>();

/** Derived keys are kept for the life of the process: deriving one takes a third of a second. */
function keyFor(passphrase: string, salt: Buffer): Promise<Buffer> {
  const id = JSON.stringify([passphrase, salt.toString("base64")]);
  const known = keys.get(id) ?? promisify(pbkdf2)(passphrase, salt, ITERATIONS, KEY_BYTES, "sha256");
  keys.set(id, known);
  return known;
}

function crypter(key: Buffer, salt: string): Crypter {
  return {
    salt,
    encrypt: (plaintext) => encryptValue(key, plaintext),
    decrypt: (ciphertext) => decryptValue(key, ciphertext),
  };
}

export async function newCrypter(passphrase: string): Promise<Crypter> {
  const salt = randomBytes(SALT_BYTES);
  const key = await keyFor(passphrase, salt);
  return crypter(key, `v1:${salt.toString("base64")}:${encryptValue(key, CHECK_TEXT)}`);
}

export async function openCrypter(passphrase: string, salt: string): Promise<Crypter> {
  const [version, saltText, ...check] = salt.split(":");
  if (version !== "v1" || saltText === undefined || check.length !== 3) {
    throw new EngineError("the stack's encryptionsalt is not in the form v1:<salt>:v1:<nonce>:<ciphertext>; restore the stack file from version control");
  }
  const key = await keyFor(passphrase, Buffer.from(saltText, "base64"));
  let text: string;
  try {
    text = decryptValue(key, check.join(":"));
  } catch {
    text = "";
  }
  if (text !== CHECK_TEXT) {
    throw new EngineError("incorrect passphrase: it does not open this stack's secrets; set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the one the stack was made with");
  }
  return crypter(key, salt);
}

/** As the real CLI reads it: a variable that is set, even to the empty string, is a passphrase. */
export function passphraseFrom(env: Readonly<Record<string, string | undefined>>): string {
  const direct = env["PULUMI_CONFIG_PASSPHRASE"];
  if (direct !== undefined) return direct;
  const file = env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  if (file !== undefined && file !== "") return readFileSync(file, "utf8").trim();
  throw new EngineError("no passphrase for this stack's secrets: set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it");
}
