import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { typescript } from "../../local/paths";
import { THINGS } from "./things";
import { makeWorkspace, type Workspace } from "./workspace";

const SCRIPT = resolve(__dirname, "crash.ts");
const SECONDS = 1_000;

/** Whether the process was killed at its n-th save; false when it finished before. */
async function crashAt(w: Workspace, save: number, when: "before" | "after"): Promise<boolean> {
  const child = spawn(process.execPath, ["-r", typescript, SCRIPT, w.directory, String(save), when], {
    cwd: resolve(__dirname, "../.."),
    env: { ...process.env, ...w.env },
    stdio: "ignore",
  });
  await once(child, "exit");
  if (child.signalCode === "SIGKILL") return true;
  expect(child.exitCode).to.equal(0);
  return false;
}

async function eventually(what: string, test: () => boolean): Promise<void> {
  // A program and its provider start in a second, and in many where everything else runs as well.
  const deadline = Date.now() + 60 * SECONDS;
  while (!test()) {
    if (Date.now() > deadline) throw new Error(`not within 60 seconds: ${what}`);
    await delay(50);
  }
}

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe("kill -9", function () {
  this.timeout(1_800 * SECONDS);
  let w: Workspace;
  before(async () => {
    w = await makeWorkspace();
    mkdirSync(join(w.directory, "world"));
  });
  after(() => {
    w.remove();
  });

  const FOLDERS = ["world", "state"];
  const keep = (from: string, to: string) => {
    for (const folder of FOLDERS) {
      rmSync(join(w.directory, to + folder), { recursive: true, force: true });
      cpSync(join(w.directory, from + folder), join(w.directory, to + folder), { recursive: true });
    }
  };

  it("at any save of the state loses nothing and makes nothing twice: the next up converges", async () => {
    w.program(`${THINGS}
      new Thing("changed", { value: "1" });
      new Thing("swapped", { value: "1", kind: "k1" });
      new Thing("renewed", { value: "1", kind: "k1", deleteFirst: true });
      new Thing("gone", { value: "1" });`);
    await w.stack.up();
    w.program(`${THINGS}
      new Thing("changed", { value: "2" });
      new Thing("swapped", { value: "1", kind: "k2" });
      new Thing("renewed", { value: "1", kind: "k2", deleteFirst: true });
      new Thing("made", { value: "1" });`);
    keep("", "before-");
    let crashes = 0;
    for (let save = 1, more = true; more; save++) {
      for (const when of ["before", "after"] as const) {
        keep("before-", "");
        more = await crashAt(w, save, when);
        if (!more) break;
        crashes++;
        const point = `killed ${when} save ${save}`;
        expect(w.state().version, point).to.equal(3);
        await w.stack.up();
        expect(readdirSync(join(w.directory, "world")).sort(), point).to.deep.equal(["changed", "made", "renewed-k2", "swapped-k2"]);
        expect(w.read("world/changed"), point).to.equal("2");
        const latest = w.state().checkpoint.latest;
        expect(latest, point).to.not.have.property("pending_operations");
        const ids = (latest?.resources ?? []).filter(({ type }) => type.includes("dynamic")).map(({ id }) => id);
        expect(ids.sort(), point).to.deep.equal(["changed", "made", "renewed-k2", "swapped-k2"]);
      }
    }
    expect(crashes).to.be.greaterThan(8);
  });

  it("takes the provider's process along, so that nothing goes on behind the next run's back", async () => {
    const pidFile = join(w.directory, "pid");
    w.program(`${THINGS}
      const slow: pulumi.dynamic.ResourceProvider = {
        async create() {
          require("node:fs").writeFileSync("pid", String(process.pid));
          return new Promise(() => setInterval(() => undefined, 1000));
        },
      };
      class Slow extends pulumi.dynamic.Resource { constructor(name: string) { super(slow, name, {}); } }
      new Slow("slow");`);
    const child = spawn(process.execPath, ["-r", typescript, SCRIPT, w.directory, "1000", "before"], {
      cwd: resolve(__dirname, "../.."), env: { ...process.env, ...w.env }, stdio: "ignore",
    });
    await eventually("create has started", () => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "");
    child.kill("SIGKILL");
    await once(child, "exit");
    await eventually("the provider has ended", () => isGone(Number(readFileSync(pidFile, "utf8"))));
    writeFileSync(pidFile, "");
  });
});
