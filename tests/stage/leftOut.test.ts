import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import { expect } from "chai";
import type { Struct as StructType } from "google-protobuf/google/protobuf/struct_pb.js";
import { buildPulumi } from "../../local/programs/programs";
import { CommandError, run } from "../../local/system/run";

// Messages have to come from the copy of google-protobuf that serializes them.
const requireFromSdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));
const { Struct } = requireFromSdk("google-protobuf/google/protobuf/struct_pb") as {
  Struct: typeof StructType;
};

const wayOut = "https://www.pulumi.com/docs/install/";

describe("Pulumi as it is built here", function () {
  // Programs that are not built yet are built first.
  this.timeout(40 * 60_000);
  let home: string;
  let folder: string;

  before(async () => {
    home = await buildPulumi(() => undefined);
    folder = await mkdtemp(join(tmpdir(), "bg-left-out-"));
    await writeFile(join(folder, "Pulumi.yaml"), "name: left-out\nruntime: nodejs\n");
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  describe("its command line", () => {
    const pulumi = async (...args: string[]): Promise<string> =>
      run(join(home, "bin", "pulumi"), [...args, "--non-interactive"], {
        cwd: folder,
        env: {
          PATH: process.env["PATH"],
          HOME: folder,
          PULUMI_HOME: join(folder, "home"),
          PULUMI_BACKEND_URL: `file://${folder}`,
          PULUMI_CONFIG_PASSPHRASE: "a passphrase",
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      });
    const refusalOf = async (...args: string[]): Promise<string> =>
      pulumi(...args).then(
        () => "",
        (error: unknown) => (error instanceof CommandError ? error.output : String(error)),
      );

    it("keeps a stack in a folder, with secrets under a passphrase", async () => {
      await pulumi("stack", "init", "here");
      await pulumi("config", "set", "--secret", "word", "hidden");
      expect(await pulumi("config", "get", "word")).to.equal("hidden\n");
    });

    for (const [scheme, part] of [
      ["s3", "AWS"],
      ["gs", "Google Cloud"],
      ["azblob", "Azure"],
    ] as const) {
      it(`says that ${scheme}:// is left out`, async () => {
        expect(await refusalOf("login", `${scheme}://bucket`))
          .to.contain(
            `a state backend in ${scheme}:// is refused: this Pulumi is built without the SDK of ${part}`,
          )
          .and.contain(wayOut);
      });
    }

    for (const scheme of ["awskms", "azurekeyvault", "gcpkms", "hashivault"]) {
      it(`says that ${scheme}:// is left out`, async () => {
        expect(await refusalOf("stack", "init", `with-${scheme}`, "--secrets-provider", `${scheme}://key`))
          .to.contain(`the secrets provider ${scheme}:// is refused`)
          .and.contain(wayOut);
      });
    }

    for (const command of [
      ["env", "setup", "aws"],
      ["api", "/api/user"],
    ]) {
      it(`says that \`pulumi ${command.join(" ")}\` is left out`, async () => {
        expect(await refusalOf(...command))
          .to.contain("is refused: this Pulumi is built without")
          .and.contain(wayOut);
      });
    }
  });

  describe("its Kubernetes provider", () => {
    let program: ChildProcess;
    let client: ResourceProviderClient;

    before(async () => {
      const child = spawn(
        join(home, "plugins", "resource-kubernetes-v4.25.0", "pulumi-resource-kubernetes"),
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      program = child;
      const [port] = (await once(child.stdout, "data")) as [Buffer];
      client = new ResourceProviderClient(
        `127.0.0.1:${port.toString().trim()}`,
        credentials.createInsecure(),
        { "grpc.max_receive_message_length": -1 },
      );
      const request = new provider.ConfigureRequest();
      // No cluster is asked for anything here.
      request.getVariablesMap().set("kubernetes:config:kubeconfig", "{}");
      await answerOf<provider.ConfigureResponse>((done) => client.configure(request, done));
    });
    after(async () => {
      client.close();
      program.kill();
      await once(program, "exit");
    });

    const answerOf = async <T>(
      ask: (done: (error: ServiceError | null, answer: T) => void) => unknown,
    ): Promise<T> =>
      new Promise((resolve, reject) => {
        ask((error, answer) => {
          if (error === null) resolve(answer);
          else reject(new Error(error.details));
        });
      });
    const refusalOf = async (ask: Parameters<typeof answerOf>[0]): Promise<string> =>
      answerOf(ask).then(
        () => "",
        (error: unknown) => String(error),
      );

    it("has the schema of its version", async () => {
      const answer = await answerOf<provider.GetSchemaResponse>((done) =>
        client.getSchema(new provider.GetSchemaRequest(), done),
      );
      expect(JSON.parse(answer.getSchema())).to.include({ name: "kubernetes", version: "4.25.0" });
    });

    for (const type of [
      "kubernetes:helm.sh/v4:Chart",
      "kubernetes:kustomize/v2:Directory",
      "kubernetes:yaml/v2:ConfigFile",
      "kubernetes:yaml/v2:ConfigGroup",
    ]) {
      it(`refuses ${type} by its name`, async () => {
        const request = new provider.ConstructRequest();
        request.setType(type);
        expect(await refusalOf((done) => client.construct(request, done)))
          .to.contain(`${type} is refused: this Pulumi is built without components`)
          .and.contain(wayOut);
      });
    }

    it("refuses a Helm release by its name", async () => {
      const request = new provider.CheckRequest();
      request.setUrn("urn:pulumi:s::p::kubernetes:helm.sh/v3:Release::r");
      request.setNews(new Struct());
      expect(await refusalOf((done) => client.check(request, done)))
        .to.contain("kubernetes:helm.sh/v3:Release is refused: this Pulumi is built without Helm")
        .and.contain(wayOut);
    });

    for (const [token, args, named] of [
      ["kubernetes:helm:template", { jsonOpts: JSON.stringify({ chart: "nginx" }) }, "the Helm chart nginx"],
      ["kubernetes:kustomize:directory", { directory: "./base" }, "the Kustomize directory ./base"],
    ] as const) {
      it(`refuses ${named}`, async () => {
        const request = new provider.InvokeRequest();
        request.setTok(token);
        request.setArgs(Struct.fromJavaScript(args));
        expect(await refusalOf((done) => client.invoke(request, done)))
          .to.contain(`${named} is refused`)
          .and.contain(wayOut);
      });
    }

    it("refuses to make a package of custom resource definitions", async () => {
      expect(await refusalOf((done) => client.parameterize(new provider.ParameterizeRequest(), done)))
        .to.contain("a package of custom resource definitions is refused")
        .and.contain(wayOut);
    });
  });
});
