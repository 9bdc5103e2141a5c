import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

const root = join(__dirname, "..", "..");
const preload = "@bluegreen/components/preload";

/** What a script prints that runs as Pulumi's programs do. */
async function outputOf(script: string): Promise<string> {
  const args = ["--no-warnings", "--require", preload, "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    timeout: 60_000,
  });
  return stdout.trim();
}

describe("What is loaded before the program", function () {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-preload-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("still names the file of a function that cannot be serialized", async () => {
    const file = join(folder, "theirs.js");
    await writeFile(
      file,
      'const compiled = new WebAssembly.Module(Buffer.from("0061736d01000000", "hex")); exports.theirs = () => compiled;',
    );
    const said = await outputOf(
      `const { theirs } = require(${JSON.stringify(file)});
       require("@pulumi/pulumi").runtime.serializeFunction(theirs).catch(({ message }) => console.log(message));`,
    );
    expect(said).to.contain("theirs.js(1,");
  });

  it("sends debug messages of one turn as one, and all others as they come", async () => {
    const sent = await outputOf(
      `const log = require("@pulumi/pulumi/log");
       process.nextTick(async () => {
         const engine = { log: (request, done) => (console.log(JSON.stringify([request.getSeverity(), request.getMessage()])), done()) };
         require("@pulumi/pulumi/runtime/settings").getEngine = () => engine;
         await Promise.all([log.debug("one"), log.info("told"), log.debug("two")]);
         await log.debug("three");
       });`,
    );
    expect(sent.split("\n").map((each) => JSON.parse(each) as [number, string])).to.deep.equal([
      [1, "told"],
      [0, "one\ntwo"],
      [0, "three"],
    ]);
  });

  it("asks for the process of steps once the stack is registered, whatever comes of it, and before the program goes on", async () => {
    const happened = await outputOf(
      `const grpc = require("@grpc/grpc-js");
       const { ResourceMonitorService, ResourceMonitorClient } = require("@pulumi/pulumi/proto/resource_grpc_pb");
       const { RegisterResourceRequest, RegisterResourceResponse } = require("@pulumi/pulumi/proto/resource_pb");
       const happened = [];
       const server = new grpc.Server();
       const { registerResource, invoke } = ResourceMonitorService;
       server.addService({ registerResource, invoke }, {
         registerResource: ({ request }, answer) => {
           happened.push("registered " + request.getName());
           answer(null, new RegisterResourceResponse().setUrn("urn:" + request.getName()));
         },
         invoke: ({ request }, answer) => {
           happened.push("asked for " + request.getTok());
           answer(new Error("no such function"));
           setTimeout(() => {
             console.log(JSON.stringify(happened));
             process.exit();
           });
         },
       });
       server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_, port) => {
         const client = new ResourceMonitorClient("127.0.0.1:" + port, grpc.credentials.createInsecure());
         const register = (name, then) =>
           client.registerResource(new RegisterResourceRequest().setName(name), (_, made) => {
             happened.push("told of " + made.getUrn());
             then();
           });
         register("stack", () => register("app", () => undefined));
       });`,
    );
    const reached = (JSON.parse(happened) as string[]).filter((each) => !each.startsWith("told"));
    expect(reached.slice(0, 2)).to.deep.equal(["registered stack", "asked for pulumi-nodejs:dynamic:start"]);
    expect(happened).to.contain("told of urn:stack");
  });
});

describe("The process of a release's steps, while nothing is asked of it", function () {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-steps-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("loads what they run with, and keeps what it has compiled when Pulumi ends it", async () => {
    const script = `
      process.argv = ["", "", "127.0.0.1:1"];
      require("@bluegreen/components/dynamicProvider");
      const loaded = setInterval(() => {
        if (!Object.keys(require.cache).some((file) => file.endsWith("release/dist/steps/provider.js"))) return;
        clearInterval(loaded);
        console.error("loaded");
      });
      setInterval(() => undefined, 1000);`;
    const steps = spawn(process.execPath, ["--eval", script], {
      cwd: root,
      env: { ...process.env, NODE_COMPILE_CACHE: folder },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(steps, "exit");
    await once(steps.stderr, "data");
    steps.kill("SIGINT");
    expect(await ended).to.deep.equal([0, null]);
    const [ofNode = ""] = await readdir(folder);
    expect((await readdir(join(folder, ofNode))).length).to.be.greaterThan(1);
  });
});
