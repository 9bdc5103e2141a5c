import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";

export type Properties = Record<string, unknown>;

/** The process in which Pulumi runs dynamic resources, asked by Pulumi's own protocol. */
export interface ProviderProcess {
  check(urn: string, inputs: Properties): Promise<{ property: string; reason: string }[]>;
  diff(urn: string, id: string, last: Properties, inputs: Properties): Promise<"none" | "some" | "unknown">;
  create(urn: string, inputs: Properties): Promise<Properties>;
  update(urn: string, id: string, last: Properties, inputs: Properties): Promise<Properties>;
  /** What a refresh finds; undefined where there is no such thing any more. */
  read(urn: string, id: string, last: Properties): Promise<Properties | undefined>;
  close(): Promise<void>;
}

// Messages have to come from the copy of google-protobuf that the SDK serializes them with.
const { Struct: structs } = createRequire(require.resolve("@pulumi/pulumi/package.json"))(
  "google-protobuf/google/protobuf/struct_pb",
) as { Struct: { fromJavaScript(value: Properties): Struct } };

/** @param said gets each line that the steps print */
export async function startProviderProcess(
  env: Record<string, string>,
  said: (line: string) => void,
): Promise<ProviderProcess> {
  // Nothing listens at the engine's address: the process would only log there.
  const child = spawn(
    process.execPath,
    [require.resolve("@bluegreen/components/dynamicProvider"), "127.0.0.1:1"],
    { env, stdio: ["ignore", "pipe", "pipe"] },
  );
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  createInterface({ input: child.stderr }).on("line", said);
  const [port] = (await Promise.race([
    once(lines, "line"),
    ended.then(() => {
      throw new Error("The provider process ended before it said its port.");
    }),
  ])) as [string];
  lines.on("line", said);
  const client = new ResourceProviderClient(`127.0.0.1:${port.trim()}`, credentials.createInsecure());
  const configuration = new provider.ConfigureRequest();
  configuration.setArgs(structOf({}));
  await asked<provider.ConfigureResponse>((done) => client.configure(configuration, done));
  return {
    check: async (urn, inputs) => {
      const request = new provider.CheckRequest();
      request.setUrn(urn);
      request.setOlds(structOf({}));
      request.setNews(structOf(inputs));
      const answer = await asked<provider.CheckResponse>((done) => client.check(request, done));
      return answer
        .getFailuresList()
        .map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() }));
    },
    diff: async (urn, id, last, inputs) => {
      const request = new provider.DiffRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setOlds(structOf(last));
      request.setOldInputs(structOf(last));
      request.setNews(structOf(inputs));
      const changes = (await asked<provider.DiffResponse>((done) => client.diff(request, done))).getChanges();
      const { DIFF_NONE, DIFF_SOME } = provider.DiffResponse.DiffChanges;
      return changes === DIFF_NONE ? "none" : changes === DIFF_SOME ? "some" : "unknown";
    },
    create: async (urn, inputs) => {
      const request = new provider.CreateRequest();
      request.setUrn(urn);
      request.setProperties(structOf(inputs));
      const answer = await asked<provider.CreateResponse>((done) => client.create(request, done));
      return answer.getProperties()?.toJavaScript() ?? {};
    },
    update: async (urn, id, last, inputs) => {
      const request = new provider.UpdateRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setOlds(structOf(last));
      request.setOldInputs(structOf(last));
      request.setNews(structOf(inputs));
      const answer = await asked<provider.UpdateResponse>((done) => client.update(request, done));
      return answer.getProperties()?.toJavaScript() ?? {};
    },
    read: async (urn, id, last) => {
      const request = new provider.ReadRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setProperties(structOf(last));
      const answer = await asked<provider.ReadResponse>((done) => client.read(request, done));
      return answer.getId() === "" ? undefined : answer.getProperties()?.toJavaScript();
    },
    close: async () => {
      client.close();
      child.kill();
      await ended;
    },
  };
}

/** As the wire has it: what is undefined is not there. */
function structOf(properties: Properties): Struct {
  return structs.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Properties);
}

function asked<Answer>(
  call: (done: (error: ServiceError | null, answer: Answer) => void) => unknown,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    call((error, answer) => {
      if (error === null) resolve(answer);
      else reject(new Error(error.details));
    });
  });
}
