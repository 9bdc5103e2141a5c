import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { repositoryDir, stageDir, typescript } from "../../local/paths";
import { redisAnswers } from "../../local/services/redis";
import { withLock } from "../../local/system/lock";
import { findProcesses } from "../../local/system/processes";
import { CommandError, run } from "../../local/system/run";
import { waitFor } from "../../local/system/wait";

describe("system", function () {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-system-"));
    await chmod(folder, 0o755);
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs TypeScript in a process of its own. */
  const script = (code: string): ReturnType<typeof spawn> =>
    spawn(process.execPath, ["-r", typescript, "-e", code], {
      cwd: repositoryDir,
      stdio: ["ignore", "pipe", "inherit"],
    });

  const started = async (child: ReturnType<typeof spawn>): Promise<void> => {
    if (child.stdout === null) throw new Error("The script has no output.");
    await once(child.stdout, "data");
  };

  it("lets one at a time work under a lock", async () => {
    const file = join(folder, "lock");
    let working = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      working += 1;
      most = Math.max(most, working);
      await run("true", []);
      working -= 1;
    };
    await Promise.all([1, 2, 3].map(async () => withLock(file, work)));
    expect(most).to.equal(1);
  });

  it("frees the lock of a process that was killed", async () => {
    const file = join(folder, "lock");
    const holder = script(
      `require("./local/system/lock").withLock(${JSON.stringify(file)}, () => { console.log("locked"); return new Promise(() => setInterval(() => {}, 1000)); })`,
    );
    await started(holder);
    holder.kill("SIGKILL");
    expect(await withLock(file, () => Promise.resolve("free"))).to.equal("free");
  });

  it("ends a server of a test together with its process, even by kill -9", async () => {
    const dir = join(folder, "redis");
    const owner = script(
      `require("./local/services/redis").startRedis({ dir: ${JSON.stringify(dir)} }).then(() => console.log("started"))`,
    );
    await started(owner);
    expect(await redisAnswers(dir)).to.equal(true);
    owner.kill("SIGKILL");
    await waitFor(
      async () => ((await redisAnswers(dir)) ? undefined : true),
      5000,
      () => Promise.resolve(new Error("Redis outlives its owner.")),
    );
    expect(await findProcesses((args) => args.includes(dir))).to.deep.equal([]);
  });

  it("says which command failed, how, and what it wrote last", async () => {
    let failure: unknown;
    await run("sh", ["-c", "echo reason >&2; exit 3"]).catch((error: unknown) => {
      failure = error;
    });
    expect(failure).to.be.instanceOf(CommandError);
    expect(String(failure)).to.match(/`sh -c .*` ended with code 3:\nreason/);
  });

  describe("stage folder", () => {
    const before = process.env["BLUEGREEN_STAGE_DIR"];

    afterEach(() => {
      if (before === undefined) delete process.env["BLUEGREEN_STAGE_DIR"];
      else process.env["BLUEGREEN_STAGE_DIR"] = before;
    });

    it("is refused where the stage hides it from itself", () => {
      process.env["BLUEGREEN_STAGE_DIR"] = "/var/lib/bluegreen";
      expect(stageDir).to.throw(/\/var\/lib\/bluegreen is below \/var\/lib.*Set BLUEGREEN_STAGE_DIR/);
    });

    it("is refused where sockets in it would have too long paths", () => {
      process.env["BLUEGREEN_STAGE_DIR"] = `/tmp/${"x".repeat(100)}`;
      expect(stageDir).to.throw(/is 105 bytes long.*at most 80.*Set BLUEGREEN_STAGE_DIR/);
    });
  });
});
