import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { repositoryDir, typescript } from "../../local/paths";

/** Runs tasks in a process without a terminal. */
function runInLines(tasks: string): { lines: string[]; status: number | null } {
  const { stdout, status } = spawnSync(
    process.execPath,
    ["-r", typescript, "-e", `require("./local/tasks").runTasks([${tasks}]).catch(() => process.exit(4))`],
    { cwd: repositoryDir, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  return { lines: stdout.trimEnd().split("\n"), status };
}

const works = (title: string): string =>
  `{ title: "${title}", run: async (progress) => progress("step of ${title}") }`;

describe("tasks without a terminal", function () {
  it("are plain lines with elapsed times, in order", () => {
    const { lines } = runInLines([works("one"), works("two")].join());
    expect(lines.join("\n")).to.match(
      /^ {2}one: step of one \(0\.\d s\)\ndone: one \(0\.\d s\)\n {2}two: step of two \(0\.\d s\)\ndone: two \(0\.\d s\)$/,
    );
  });

  it("stop at the first that fails, and pass its error on", () => {
    const { lines, status } = runInLines(
      [`{ title: "bad", run: async () => { throw new Error("no"); } }`, works("never")].join(),
    );
    expect(lines.join("\n")).to.match(/^FAILED: bad \(0\.\d s\)$/);
    expect(status).to.equal(4);
  });
});
