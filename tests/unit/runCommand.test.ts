import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { rebuildAdvice, runRebuild } from "@bluegreen/release/replication/replica/reconcile";
import { runCommand, type CommandEnd } from "@bluegreen/release/util/runCommand";
import { failureOf } from "../support/read";
import { gone, lives } from "../support/processes";

/** Starts a second process, says its number, and continues for longer than any test. */
const withServer = ["sh", "-c", "sleep 600 & echo $!; wait"];
/** The same, and ends. */
const leavingServer = ["sh", "-c", "sleep 600 & echo $!"];

/** What it starts is a group of its own as soon as it is told of. */
const leaveGroup = `
  const other = require("node:child_process").spawn("sleep", ["600"], { detached: true, stdio: "inherit" });
  console.log(other.pid);
  other.unref();`;

describe("A command with a budget", () => {
  const pids: number[] = [];
  afterEach(() => {
    for (const pid of pids.splice(0).filter(lives)) process.kill(pid, "SIGKILL");
  });
  const run = async (
    command: string[],
    options: { budgetMs?: number; leavesOthers?: boolean; signal?: AbortSignal; told?: () => void } = {},
  ): Promise<{ end: CommandEnd; pid: number }> => {
    const { told, ...rest } = options;
    const lines: string[] = [];
    const end = await runCommand(command, {
      env: process.env,
      budgetMs: 600_000,
      ...rest,
      onLine: (line) => {
        lines.push(line);
        pids.push(Number(line));
        told?.();
      },
    });
    return { end, pid: Number(lines[0]) };
  };

  it("is ended with everything that it has started when the budget runs out", async () => {
    const { end, pid } = await run(withServer, { budgetMs: 1500 });
    expect(end).to.deep.equal({ code: null, signal: "SIGKILL", timedOut: true });
    await gone(pid);
  });

  it("is ended in the same way when somebody interrupts", async () => {
    const interrupt = new AbortController();
    const { end, pid } = await run(withServer, {
      signal: interrupt.signal,
      told: () => {
        interrupt.abort();
      },
    });
    expect(end).to.deep.equal({ code: null, signal: "SIGKILL", timedOut: false });
    await gone(pid);
    expect(await failureOf(run(withServer, { signal: interrupt.signal })), "before it has begun").to.contain(
      "aborted",
    );
  });

  it("leaves nothing behind when it ends by itself", async () => {
    const { end, pid } = await run(leavingServer);
    expect(end).to.deep.equal({ code: 0, signal: null, timedOut: false });
    await gone(pid);
  });

  it("leaves a server behind where that is what it was for, and does not wait for its output", async () => {
    const { end, pid } = await run(leavingServer, { leavesOthers: true });
    expect(end).to.include({ code: 0, timedOut: false });
    expect(lives(pid)).to.equal(true);
  });

  it("is not waited for by the output of whoever has left its group", async () => {
    const { end, pid } = await run([process.execPath, "-e", leaveGroup]);
    expect(end).to.include({ code: 0, timedOut: false });
    expect(lives(pid)).to.equal(true);
  });
});

describe("The rebuild command of a standby", () => {
  const database = (color: "blue" | "green") => ({
    color,
    adminUrl: "postgres://admin:hunter2@127.0.0.1:1/app",
    peerUrl: "postgres://peer@127.0.0.1:1/app",
  });
  const pair = { live: database("blue"), idle: database("green") };

  it("ends at its budget, with everything that it has started, and says how to give it more", async () => {
    const said: string[] = [];
    const failure = await failureOf(
      runRebuild(withServer, pair, { budgetMs: 1500, say: (line) => said.push(line) }),
    );
    expect(failure).to.contain("the rebuild command ran out of its 1.5 s (database.rebuildTimeoutSeconds)");
    await gone(Number(said[0]?.split(": ")[1]));
  });

  it("is what an update runs, and says so to whoever reads of it where nothing can be run", () => {
    expect(rebuildAdvice(undefined, pair)).to.contain(
      "pulumi up with database.rebuildCommand in config, which does that",
    );
  });

  it("ends at Ctrl-C, which no terminal tells it", async () => {
    const script = `
      const { runRebuild } = require("@bluegreen/release/replication/replica/reconcile");
      runRebuild(${JSON.stringify(withServer)}, ${JSON.stringify(pair)}, { budgetMs: 600000, say: console.log }).catch((error) => { console.log(error.message); });`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const lines: string[] = [];
    createInterface(child.stdout).on("line", (line) => {
      if (lines.push(line) === 1) child.kill("SIGINT");
    });
    expect(await once(child, "close")).to.deep.equal([0, null]);
    expect(lines.join("\n")).to.contain("the rebuild command was ended (SIGINT: the update was interrupted)");
    await gone(Number(lines[0]?.split(": ")[1]));
  });
});
