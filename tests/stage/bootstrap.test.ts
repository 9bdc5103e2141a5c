import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";

describe("bootstrap", function () {
  this.timeout(30_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-bootstrap-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const bootstrap = async (code: string, ...args: string[]): Promise<ChildProcess> => {
    const file = join(folder, "program.ts");
    await writeFile(file, code);
    return spawn(process.execPath, [join(repositoryDir, "local", "bootstrap.mjs"), relative(repositoryDir, file), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  };

  const output = async (child: ChildProcess): Promise<string> => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => (text += part));
    await once(child, "close");
    return text;
  };

  it("runs TypeScript with its arguments and passes its exit code on", async () => {
    const child = await bootstrap("const given: string[] = process.argv.slice(2); console.log(given.join()); process.exitCode = 7;", "a", "--b");
    expect(await output(child)).to.equal("a,--b\n");
    expect(child.exitCode).to.equal(7);
  });

  it("passes a signal on, so that the program can end in its own way", async () => {
    const child = await bootstrap('process.on("SIGTERM", () => process.exit(5)); setInterval(() => undefined, 1000); console.log("ready");');
    if (child.stdout === null) throw new Error("The program has no output.");
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

  it("costs little when everything is there", async () => {
    const started = Date.now();
    await output(await bootstrap("console.log(1);"));
    expect(Date.now() - started).to.be.below(3000);
  });
});
