import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { InvokeRequest } from "@pulumi/pulumi/proto/provider_pb";
import { expect } from "chai";

const root = join(__dirname, "..", "..");
const preload = "@bluegreen/components/preload";

/** What a script prints that runs as Pulumi's programs do. */
async function outputOf(script: string, env: Record<string, string> = {}): Promise<string> {
  const args = ["--no-warnings", "--require", preload, "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
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

  it("lets files stand in for what an update does not need, each of which is there once it is asked for", async () => {
    const said = await outputOf(
      `const { createRequire } = require("node:module");
       const sdk = createRequire(require.resolve("@pulumi/pulumi"));
       const pulumi = require("@pulumi/pulumi");
       const { z } = require("zod");
       const yaml = require("yaml");
       const normalize = sdk("normalize-package-data");
       const loaded = () => Object.keys(require.cache)
         .flatMap((file) => /automation\\/localWorkspace|composer|locales\\/de\\b|provider\\/server|closure\\/parseFunction|normalize-package-data\\/lib\\/fixer|sdk-trace-node/.exec(file) ?? []).sort();
       const before = loaded();
       const parcel = { name: "shop", version: "v1.0.0" };
       normalize(parcel);
       console.log(JSON.stringify({
         before,
         stack: typeof pulumi.automation.LocalWorkspace.createOrSelectStack,
         names: Object.keys(pulumi.automation).includes("LocalWorkspace") && "parse" in yaml,
         provider: typeof pulumi.provider.main,
         german: typeof z.locales.de().localeError,
         parsed: yaml.parse("replicas: 3"),
         parcel: parcel.version,
         after: loaded(),
       }));`,
    );
    expect(JSON.parse(said)).to.deep.equal({
      before: [],
      stack: "function",
      names: true,
      provider: "function",
      german: "function",
      parsed: { replicas: 3 },
      parcel: "1.0.0",
      after: [
        "automation/localWorkspace",
        "composer",
        "locales/de",
        "normalize-package-data/lib/fixer",
        "provider/server",
      ],
    });
  });

  it("lets a module import them by name", async () => {
    const said = await outputOf(
      `import("data:text/javascript,").then(async () => {
         const [{ LocalWorkspace }, { parse }] = await Promise.all([import("@pulumi/pulumi/automation/index.js"), import("yaml")]);
         console.log(typeof LocalWorkspace.create, parse("3"));
       });`,
    );
    expect(said).to.equal("function 3");
  });

  it("lets a function that is serialized require them by name, and a test replace what they have", async () => {
    const said = await outputOf(
      `const pulumi = require("@pulumi/pulumi");
       const yaml = require("yaml");
       (async () => {
         const { text } = await pulumi.runtime.serializeFunction(() => yaml.parse("replicas: 3"));
         console.log(text.includes('require("yaml")'), require("yaml") === yaml);
         yaml.parse = () => "replaced";
         console.log(yaml.parse("3"), Object.keys(yaml).includes("stringify"), delete yaml.parse && yaml.parse);
       })();`,
    );
    expect(said).to.equal("true true\nreplaced true undefined");
  });

  it("traces where a trace was asked for", async () => {
    const said = await outputOf(
      `const tracing = require("@pulumi/pulumi/cmd/run/tracing");
       const traceIdOf = (name) => tracing.newSpan(name).spanContext().traceId;
       const untraced = traceIdOf("before");
       tracing.start("http://127.0.0.1:1/api/v2/spans");
       console.log(untraced, traceIdOf("after") === untraced);
       process.exit();`,
    );
    expect(said).to.equal("00000000000000000000000000000000 false");
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

  it("notes where a promise was made only for who asks for it", async () => {
    const script = `
      require("@pulumi/pulumi");
      process.nextTick(() => {
        const { debuggablePromise } = require("@pulumi/pulumi/runtime/debuggable");
        const promise = Promise.resolve();
        debuggablePromise(promise, "one");
        console.log(promise._debugCtx, promise._debugStackTrace.includes("[eval]"), new Error().stack.includes("[eval]"));
      });`;
    expect(await outputOf(script)).to.equal("one false true");
    expect(await outputOf(script, { PULUMI_DEBUG_PROMISE_LEAKS: "true" })).to.equal("one true true");
  });

  it("begins the slow hash of secret variables before the program asks for it, and leaves it the others", async () => {
    const script = `
      const crypto = require("node:crypto");
      const { contentOf, secretHash } = require("@bluegreen/components/secretHash");
      const { scryptSync } = crypto;
      // Nothing is on its way any more.
      process.once("beforeExit", () => {
        let computed = 0;
        crypto.scryptSync = (...of) => (computed++, scryptSync(...of));
        const asked = (data, app, namespace) => {
          const hash = secretHash(contentOf(data), app, namespace);
          const expected = scryptSync(contentOf(data), namespace + "/" + app, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 });
          return hash.equals(expected) && computed;
        };
        const data = { TOKEN: "hunter2", KEY: "hunter3" };
        console.log(JSON.stringify([
          asked(data, "shop", "prod"),
          asked({ ...data, KEY: "hunter4" }, "shop", "prod"),
          asked(data, "cart", "cart"),
          asked(data, "cart", "prod"),
          asked({}, "blog", "blog"),
        ]));
      });`;
    const config = {
      "shop:secretEnv": '{"KEY":"hunter3","TOKEN":"hunter2"}',
      "shop:green": '{"secretEnv":{"KEY":"hunter4"}}',
      "shop:namespace": "prod",
      "cart:secretEnv": '{"TOKEN":"hunter2","KEY":"hunter3"}',
      "cart:namespace": "",
      "blog:secretEnv": "{}",
    };
    const said = await outputOf(script, { PULUMI_CONFIG: JSON.stringify(config) });
    expect(JSON.parse(said)).to.deep.equal([0, 0, 0, 1, 2]);
  });

  it("leaves config to the program that is not what it should be", async () => {
    const configs = ["", "no config", '{"shop:secretEnv":"no map"}', '{"shop:secretEnv":"null"}', "[1]"];
    for (const PULUMI_CONFIG of configs)
      expect(await outputOf("console.log(1)", { PULUMI_CONFIG })).to.equal("1");
  });

  it("says nothing of a request that failed because Pulumi had ended the update", async () => {
    const sent = await outputOf(
      `const log = require("@pulumi/pulumi/log");
       process.nextTick(async () => {
         const engine = { log: (request, done) => (console.log(request.getMessage()), done()) };
         require("@pulumi/pulumi/runtime/settings").getEngine = () => engine;
         await log.error("Running program 'index.ts' failed with an unhandled exception:\\nError: 14 UNAVAILABLE: resource monitor shut down while sending resource outputs\\n    at callErrorFromStatus (call.js:32:19)");
         await log.error("failed to register new resource shop [bluegreen:index:BlueGreenApp]: Resource monitor is terminating");
         await log.error("Running program 'index.ts' failed with an unhandled exception:\\n\u001b[36m<ref *1>\u001b[39m Error: 14 UNAVAILABLE: resource monitor shut down while waiting on step");
         await log.error("Running program 'index.ts' failed with an unhandled exception:\\nError: stack dev: resource monitor shut down");
       });`,
    );
    expect(sent).to.equal(
      "Running program 'index.ts' failed with an unhandled exception:\nError: stack dev: resource monitor shut down",
    );
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

describe("The process of a release's steps", function () {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-steps-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("loads what they run with once it was asked to start, and keeps what it has compiled when Pulumi ends it", async () => {
    const script = `
      process.argv = ["", "", "127.0.0.1:1"];
      require("@bluegreen/components/dynamicProvider");
      const isLoaded = () => Object.keys(require.cache).some((file) => file.endsWith("release/dist/steps/provider.js"));
      process.on("SIGUSR2", () => console.error(isLoaded() ? "loaded" : "not loaded"));
      setInterval(() => undefined, 1000);`;
    const steps = spawn(process.execPath, ["--eval", script], {
      cwd: root,
      env: { ...process.env, NODE_COMPILE_CACHE: folder },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
    const ended = once(steps, "exit");
    const isLoaded = async () => {
      const said = once(steps.stderr, "data");
      steps.kill("SIGUSR2");
      return String(await said) === "loaded\n";
    };
    const [port] = (await once(steps.stdout, "data")) as [Buffer];
    expect(await isLoaded()).to.equal(false);
    const client = new ResourceProviderClient(
      `127.0.0.1:${String(port).trim()}`,
      credentials.createInsecure(),
    );
    client.invoke(new InvokeRequest().setTok("pulumi-nodejs:dynamic:start"), () => {
      client.close();
    });
    while (!(await isLoaded())) await new Promise(setImmediate);
    steps.kill("SIGINT");
    expect(await ended).to.deep.equal([0, null]);
    const [ofNode = ""] = await readdir(folder);
    expect((await readdir(join(folder, ofNode))).length).to.be.greaterThan(1);
  });
});
