import { createHash } from "node:crypto";
import { namespaceOf } from "../app/color.js";
import { secretKeyAt } from "../config/forms.js";
import { names } from "../app/names.js";
import { runJob } from "../jobs/runJob.js";
import { programPod } from "../jobs/podSpec.js";
import { readSecretValue } from "../kubernetes/secretValue.js";
import { clusterHost, colorService } from "../routers/services.js";
import { variablesOf, type GateInputs, type GateKind, type GateRun } from "./gateKind.js";

/** A Job of any image, in the color's namespace. */
export const jobGate: GateKind = {
  secrets: ({ cluster, inputs }) =>
    Promise.all(
      secretsOf(inputs).map(({ name, key }) =>
        readSecretValue(cluster, { namespace: namespaceOf(cluster, inputs.color), name }, key),
      ),
    ),

  async run(run, output) {
    const { cluster, inputs, say, signal } = run;
    const { app, color, account, imagePullSecrets, gate, labels, annotations } = inputs;
    const { image, command = [], requests = {}, limits = {} } = gate.job ?? {};
    const variables = {
      ...variablesOf(inputs),
      ...(run.hasPods && { BASE_URL: await addressOf(run) }),
    };
    const pod = programPod(
      { account, imagePullSecrets },
      {
        name: gate.name,
        ...(image !== undefined && { image }),
        ...(command.length > 0 && { command }),
        env: [
          ...Object.entries(variables).map(([name, value]) => ({ name, value })),
          ...secretsOf(inputs).map(({ variable, name, key }) => ({
            name: variable,
            valueFrom: { secretKeyRef: { name, key } },
          })),
        ],
        resources: { requests, limits },
      },
    );
    const wanted = {
      namespace: namespaceOf(cluster, color),
      name: names.job(app, gate.name, contentOf(inputs)),
      app,
      labels,
      annotations,
      container: gate.name,
      pod,
      timeoutSeconds: gate.timeoutSeconds,
      // What it has found may be long ago.
      takesEnded: false,
    };
    return runJob(cluster, wanted, { onLine: output.take, say, signal });
  },
};

/** The same release and the same gate have the same Job. */
function contentOf({ color, template, gate }: GateInputs): string {
  return createHash("sha256")
    .update(JSON.stringify([color, template, gate]))
    .digest("hex")
    .slice(0, 10);
}

function secretsOf({ gate }: GateInputs): { variable: string; name: string; key: string }[] {
  return Object.entries(gate.job?.envFromSecrets ?? {}).map(([variable, at]) => ({
    variable,
    ...secretKeyAt(at),
  }));
}

/** As a pod of the cluster reaches the color. */
async function addressOf({ cluster, inputs }: GateRun): Promise<string> {
  const service = colorService(cluster, inputs.app, inputs.color);
  const { spec } = await cluster.core.readNamespacedService(service);
  return `http://${clusterHost(service)}:${spec?.ports?.[0]?.port ?? 80}`;
}
