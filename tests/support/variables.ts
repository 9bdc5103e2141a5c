import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Exec } from "@bluegreen/release/kubernetes/client";
import type { Cluster } from "@bluegreen/release";

/** Variables as the app in a pod has them. */
export async function variablesOf(cluster: Cluster, pod: string): Promise<Record<string, string>> {
  const output = new PassThrough();
  const errors = new PassThrough();
  const command = ["node", "-e", "process.stdout.write(JSON.stringify(process.env))"];
  const said = Promise.all([text(output), text(errors)]);
  await new Promise<void>((done, fail) => {
    new Exec(cluster.config)
      .exec(
        cluster.namespace,
        pod,
        "mcp-server",
        command,
        output,
        errors,
        null,
        false,
        ({ status, message }) => {
          output.end();
          errors.end();
          if (status === "Success") done();
          else fail(new Error(`${pod}: ${message ?? "the command failed"}`));
        },
      )
      .catch(fail);
  });
  return JSON.parse((await said)[0]) as Record<string, string>;
}
