import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { bluegreen } from "../../cli/commands";

const root = join(__dirname, "..", "..");

const preload = "@bluegreen/components/preload";
const compiler = /node_modules\/(ts-node|typescript|@swc\/core)\//;

/** Which files a process has loaded once it has run a script. */
function loadedBy(script: string, ...preload: string[]): string[] {
  const list = `${script}; console.log(JSON.stringify(Object.keys(require.cache)))`;
  return JSON.parse(
    execFileSync(process.execPath, [...preload.flatMap((file) => ["-r", file]), "-e", list], {
      cwd: root,
      encoding: "utf8",
    }),
  ) as string[];
}

describe("The program", function () {
  it("loads no client of what only its steps talk to: every preview would pay for it", () => {
    const loaded = loadedBy('require("@bluegreen/components/release")');
    expect(
      loaded.filter((file) =>
        /node_modules\/(@kubernetes\/client-node|pg|ioredis|libpg-query)\/|release\/dist\/kubernetes\/client\.js$/.test(
          file,
        ),
      ),
    ).to.deep.equal([]);
    expect(loaded.some((file) => file.includes("@pulumi/kubernetes"))).to.equal(true);
  });

  it("loads no compiler, which Pulumi's SDK would", () => {
    const loaded = loadedBy('require("@bluegreen/components")', preload);
    expect(loaded.filter((file) => compiler.test(file))).to.deep.equal([]);
    expect(loaded.some((file) => file.endsWith("components/dist/dynamicStep.js"))).to.equal(true);
  });

  it("looks up no source maps, which Pulumi's SDK would for each promise", () => {
    const load = 'require("source-map-support/register")';
    const ofSourceMaps = (loaded: string[]) => loaded.filter((file) => /\/source-map\//.test(file));
    expect(ofSourceMaps(loadedBy(load))).not.to.deep.equal([]);
    expect(ofSourceMaps(loadedBy(load, preload))).to.deep.equal([]);
  });

  it("loads a compiler where a function is serialized: the program of somebody may have dynamic resources of its own", () => {
    const text = execFileSync(
      process.execPath,
      [
        "-r",
        preload,
        "-e",
        'const { runtime } = require("@pulumi/pulumi"); const one = 1; runtime.serializeFunction(() => one).then(({ text }) => console.log(text))',
      ],
      { cwd: root, encoding: "utf8" },
    );
    expect(text).to.contain("() => one");
  });

  it("loads no more of Kubernetes than its resources are of", () => {
    const loaded = loadedBy('require("@bluegreen/components")');
    expect(loaded.filter((file) => /@pulumi\/kubernetes\/(index|helm\/index)\.js$/.test(file))).to.deep.equal(
      [],
    );
  });
});

describe("The process of a release's steps", function () {
  it("loads no file of Pulumi's SDK, and no compiler", () => {
    const loaded = loadedBy(
      'process.argv = ["", "", "127.0.0.1:1"]; require("@bluegreen/components/dynamicProvider"); process.nextTick(() => process.exit())',
    );
    expect(loaded.filter((file) => file.includes("@pulumi") || compiler.test(file))).to.deep.equal([]);
  });
});

describe("The command line", function () {
  it("loads nothing of Pulumi's before something is run by it: a rollback at night would wait for it", () => {
    const loaded = loadedBy('require("./cli/commands").bluegreen()', "./local/typescript.cjs");
    expect(loaded.filter((file) => file.includes("@pulumi"))).to.deep.equal([]);
    expect(loaded.some((file) => file.endsWith("cli/pulumi/stack.ts"))).to.equal(true);
  });

  it("loads no other command than the one that is typed", () => {
    const loaded = loadedBy('require("./cli/commands").bluegreen("history")', "./local/typescript.cjs");
    expect(loaded.some((file) => file.endsWith("cli/history.ts"))).to.equal(true);
    expect(
      loaded.filter((file) => /cli\/(?:status|dashboard|init|lint|switch)\.ts$/.test(file)),
    ).to.deep.equal([]);
  });

  it("takes no word for a command that JavaScript knows and the program does not", () => {
    const every = bluegreen().commands.length;
    for (const word of ["constructor", "toString", "__proto__"])
      expect(bluegreen(word).commands, word).to.have.length(every);
  });
});
