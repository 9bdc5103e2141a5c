import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { encryptValue } from "../../local/engine/crypto";
import { breakLocks, takeLock } from "../../local/engine/lock";
import { newState, readDeployment, writeDeployment } from "../../local/engine/state";
import { Secret } from "../../local/engine/value";

const KEY = Buffer.alloc(32, 7);
const crypter = {
  salt: "v1:salt",
  encrypt: (text: string) => encryptValue(KEY, text),
  decrypt: () => JSON.stringify({ user: "u", password: "hunter2" }),
};

describe("the checkpoint", () => {
  it("keeps everything, secrets encrypted under the magic key", () => {
    const state = newState("urn:pulumi:s::p::t:t:T::n", "t:t:T", true);
    state.id = "id";
    state.inputs = { plain: "seen", login: new Secret({ user: "u", password: "hunter2" }) };
    state.protect = true;
    state.hooks = { BeforeUpdate: ["guard"] };
    state.hideDiff = ["spec.template"];
    state.other = { sourcePosition: "project:///index.ts#1,2" };
    const json = writeDeployment({ resources: [state], pending: [{ type: "creating", resource: state }] }, crypter);
    const text = JSON.stringify(json);
    expect(text).to.contain("seen").and.not.contain("hunter2");
    expect(text).to.match(/"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"v1:/);
    expect(json["secrets_providers"]).to.deep.equal({ type: "passphrase", state: { salt: "v1:salt" } });
    const back = readDeployment(json, crypter);
    expect(back.resources).to.deep.equal([state]);
    expect(back.pending).to.have.length(1);
  });

  it("does not encrypt an unchanged secret again", () => {
    const state = newState("urn", "t", true);
    state.outputs = { s: new Secret("x") };
    const write = () => JSON.stringify(writeDeployment({ resources: [state], pending: [] }, crypter)["resources"]);
    expect(write()).to.equal(write());
  });
});

describe("the lock", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "engine-lock-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });
  const lockOf = (pid: number, host: string, timestamp = new Date().toISOString()) => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "other.json"), JSON.stringify({ pid, hostname: host, username: "ada", timestamp }));
  };

  it("is held by one, who is named to the next", () => {
    const release = takeLock(directory);
    expect(() => takeLock(directory)).to.throw(new RegExp(`locked by 1 lock.*cancel[^]*@${hostname()} \\(pid ${process.pid}\\)`));
    release();
    takeLock(directory)();
    expect(readdirSync(directory)).to.deep.equal([]);
  });

  const deadPid = async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    return child.pid ?? 0;
  };

  it("is taken over from a process that has died on this machine", async () => {
    lockOf(await deadPid(), hostname());
    takeLock(directory)();
  });

  it("is taken over when the process id belongs to a younger process now", () => {
    lockOf(process.pid, hostname(), new Date(Date.now() - 86_400_000).toISOString());
    takeLock(directory)();
  });

  it("of another machine is only removed by cancel", async () => {
    lockOf(await deadPid(), "elsewhere");
    expect(() => takeLock(directory)).to.throw("ada@elsewhere");
    expect(breakLocks(directory)).to.equal(1);
    takeLock(directory)();
  });
});
