import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";
import { endOf } from "../support/endOf";

describe("bootstrap", function () {
  // The first one may have to build what has changed.
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-bootstrap-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const bootstrap = async (
    code: string,
    ...args: string[]
  ): Promise<ChildProcessByStdio<null, Readable, Readable>> => {
    const file = join(folder, "program.ts");
    await writeFile(file, code);
    return spawn(
      process.execPath,
      [join(repositoryDir, "local", "bootstrap.mjs"), relative(repositoryDir, file), ...args],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  };

  it("runs TypeScript with its arguments and passes its exit code on", async () => {
    const child = await bootstrap(
      "const given: string[] = process.argv.slice(2); console.log(given.join()); process.exitCode = 7;",
      "a",
      "--b",
    );
    const { output, code } = await endOf(child);
    expect([output, code]).to.deep.equal(["a,--b\n", 7]);
  });

  it("passes a signal on, so that the program can end in its own way", async () => {
    const child = await bootstrap(
      'process.on("SIGTERM", () => process.exit(5)); setInterval(() => undefined, 1000); console.log("ready");',
    );
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    await once(child, "exit");
    expect(child.exitCode).to.equal(5);
  });

  it("ends by the signal that ended the program", async () => {
    const child = await bootstrap('process.kill(process.pid, "SIGKILL");');
    await once(child, "exit");
    expect(child.signalCode).to.equal("SIGKILL");
  });

  it("brings and builds nothing when everything is there", async () => {
    await endOf(await bootstrap("console.log(1);"));
    // Whatever takes time is said on stderr before.
    const { output, errors } = await endOf(await bootstrap("console.log(2);"));
    expect([output, errors]).to.deep.equal(["2\n", ""]);
  });
});
