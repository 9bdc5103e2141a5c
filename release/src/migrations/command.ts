import { names, type OwnMetadata } from "../app/names.js";
import { namespaceOf, type Color } from "../app/color.js";
import { appPod, secretValuesIn } from "../jobs/podSpec.js";
import { runJob } from "../jobs/runJob.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { serverTime } from "../kubernetes/requests.js";
import { noteChange, refuseHarm, testLive } from "../state/harm.js";
import { readOutcome, writeOutcome } from "../state/outcomes.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import { CommandOutput } from "../util/runCommand.js";
import { untilInterrupted } from "../util/interrupt.js";
import { starterGone } from "../util/process.js";
import { UserError } from "../util/userError.js";
import type { PlainRecord, Say, Step } from "../util/step.js";

export type MigrationCommandInputs = ClusterRef &
  OwnMetadata & {
    app: string;
    color: Color;
    /** Its image tag. */
    version: string;
    /** Hash of the pod template: another one means another run. */
    template: string;
    /** The pod spec of that template. */
    pod: PlainRecord;
    /** The app's container in it. */
    container: string;
    /** Words, in the place of what the image starts with. */
    command: string[];
    timeoutSeconds: number;
  };
export type MigrationCommandOutputs = { outcome: string };

/**
 * The migrations of the app's own framework: a command in a Job of the new image, with its variables and Secrets,
 * before the first of its pods, once for each pod template.
 */
export const migrationCommand: Step<MigrationCommandInputs, MigrationCommandOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    return last.template !== inputs.template && (await isDue(connect(inputs), inputs));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => ({
      outcome: (await isDue(cluster, inputs))
        ? await migrate(cluster, inputs, say)
        : "not run: it has run for this template",
    }));
  },
};

/**
 * Pods of the template exist only after it, and a run that was killed after it has noted it. Both are facts that
 * are compared: what runs is in config.
 */
async function isDue(cluster: Cluster, { app, color, template }: MigrationCommandInputs): Promise<boolean> {
  if (templateOf(await readDeployment(cluster, app, color)) === template) return false;
  const last = await readOutcome(cluster, app, keyOf(color));
  return last?.template !== template || !last.hasPassed;
}

function keyOf(color: Color): string {
  return `migrations.${color}`;
}

async function migrate(cluster: Cluster, inputs: MigrationCommandInputs, say: Say): Promise<string> {
  const { app, color, version, template, container, timeoutSeconds, labels, annotations } = inputs;
  const namespace = namespaceOf(cluster, color);
  const pod = appPod(inputs.pod, container, inputs.command);
  const output = new CommandOutput("migrations", await secretValuesIn(cluster, namespace, pod), say);
  refuseHarm(cluster, app);
  noteChange(cluster, app, `the migrations of ${version} were started`);
  const startedAt = performance.now();
  const end = await untilInterrupted((interrupted) =>
    runJob(
      cluster,
      {
        namespace,
        name: names.job(app, `${color}-migrations`, template.slice(0, 10)),
        app,
        labels,
        annotations,
        container,
        pod,
        timeoutSeconds,
        takesEnded: true,
      },
      // Whoever has lost its update has lost the lock as well.
      { onLine: output.take, say, signal: AbortSignal.any([interrupted, starterGone()]) },
    ),
  );
  const { hasPassed, how, timedOut } = end;
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  const at = (await serverTime(cluster)).toISOString();
  const { lines } = output;
  await writeOutcome(cluster, app, keyOf(color), { template, version, hasPassed, how, seconds, at, lines });
  if (hasPassed) {
    await testLive(cluster, app, `after the migrations of ${version}`);
    return `done in ${seconds.toFixed(1)} s`;
  }
  throw new UserError({
    code: "BG-MIGRATION-COMMAND-FAILED",
    what: `The migrations of ${version} failed: their command ${how}`,
    rule: [
      `no pod of ${color} was changed; ${lines.length === 0 ? "it wrote nothing" : "it wrote last:"}`,
      ...lines,
    ].join("\n        "),
    next: `kubectl -n ${namespace} get jobs, then correct what it says and pulumi up${timedOut ? "; with more time: pulumi config set --path migrations.timeoutSeconds N" : ""}`,
  });
}
