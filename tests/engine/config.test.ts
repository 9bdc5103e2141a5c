import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { resolveConfig } from "../../local/engine/config";
import type { Crypter } from "../../local/engine/crypto";
import { loadProject } from "../../local/engine/project";
import { StackFile } from "../../local/engine/stackFile";

const crypter: Crypter = { salt: "", encrypt: (text) => `(${text})`, decrypt: (text) => text.slice(1, -1) };

describe("stack configuration", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "engine-config-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const project = (config: string) => {
    writeFileSync(join(directory, "Pulumi.yaml"), `name: shop\nruntime: nodejs\nconfig:\n${config}`);
    return loadProject(directory);
  };
  const resolve = (config: string, stack: string) => {
    writeFileSync(join(directory, "Pulumi.dev.yaml"), stack);
    const loaded = project(config);
    const entries = new StackFile(loaded, "dev").entries();
    return Object.fromEntries(resolveConfig(loaded, "dev", entries, crypter));
  };

  it("gives programs text, JSON for structures, and defaults where nothing is set", () => {
    const config = resolve(
      "  count:\n    type: integer\n    default: 3\n  on:\n    type: boolean\n    default: true\n  shape:\n    type: object\n    default: {a: 1}\n  list:\n    type: array\n    items: {type: string}\n    default: [x]\n  kubernetes:context:\n    value: local\n",
      "config:\n  shop:count: 5\n",
    );
    expect(config["shop:count"]).to.deep.equal({ value: "5", secret: false, object: false });
    expect(config["shop:on"]?.value).to.equal("true");
    expect(config["shop:shape"]).to.deep.equal({ value: '{"a":1}', secret: false, object: true });
    expect(config["shop:list"]?.value).to.equal('["x"]');
    expect(config["kubernetes:context"]?.value).to.equal("local");
  });

  it("decrypts secrets, nested ones too", () => {
    const config = resolve("  token:\n    type: string\n    secret: true\n", "config:\n  shop:token:\n    secure: (t)\n  shop:all:\n    user: u\n    password:\n      secure: (p)\n");
    expect(config["shop:token"]).to.deep.equal({ value: "t", secret: true, object: false });
    expect(config["shop:all"]).to.deep.equal({ value: '{"user":"u","password":"p"}', secret: true, object: true });
  });

  it("reports every violation at once, with the next command and without secret values", () => {
    const declared = "  count:\n    type: integer\n  token:\n    type: string\n    secret: true\n  flag:\n    type: boolean\n  name:\n    type: string\n";
    expect(() => resolve(declared, "config:\n  shop:count: many\n  shop:token: plain\n  shop:flag:\n    secure: (hush)\n"))
      .to.throw()
      .with.property("message")
      .that.matches(/'count' must be of type 'integer', but is 'many'/)
      .and.matches(/'token' must be encrypted as it's secret; set it with: config set --secret token/)
      .and.matches(/'flag' must be of type 'boolean', but is '\[secret\]'/)
      .and.matches(/missing configuration value 'name'; set it with: config set name VALUE/)
      .and.not.matches(/hush/);
  });

  it("keeps comments and order when a value changes", () => {
    const path = join(directory, "Pulumi.dev.yaml");
    writeFileSync(path, "# ours\nconfig:\n  # the color\n  shop:color: blue\n  shop:size: \"3\" # small\n");
    const file = new StackFile(project("  color:\n    type: string\n"), "dev");
    file.set("color", "green");
    file.set("count", "4");
    file.remove("size");
    file.keepSalt("v1:salt");
    file.save();
    expect(readFileSync(path, "utf8")).to.equal('encryptionsalt: v1:salt\n# ours\nconfig:\n  # the color\n  shop:color: green\n  shop:count: "4"\n');
  });
});
