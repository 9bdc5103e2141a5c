import { appContainer } from "../kubernetes/containers.js";
import type { V1Pod, V1PodSpec } from "../kubernetes/client.js";
import { otherColor, namespaceOf, type Color, type NamespacedName } from "../app/color.js";
import { names, templateAnnotation, preflightLabel, type OwnMetadata } from "../app/names.js";
import { parseRange } from "../migrations/versions.js";
import { checkVersion } from "./schemaGate.js";
import { readSchemaUrls, type DatabaseRef } from "../databases/colorDatabases.js";
import { ifReachable } from "../postgres/reachable.js";
import { untilInterrupted } from "../util/interrupt.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { orUndefined } from "../kubernetes/requests.js";
import { askReady, hasPreflightPods, httpPort, isReady, removePreflightPods } from "../kubernetes/pods.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { statusOf } from "../util/mayPass.js";
import { DeadlineError, poll, untilAnswered } from "../util/poll.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Strategy } from "../config/schema/database.js";
import type { PlainRecord, Say, Step } from "../util/step.js";
import { PodCheck } from "./podCheck.js";
import { testPod } from "./smoke.js";

/** With the color that is to stay live as `activeColor`. */
export type PreflightInputs = ClusterRef &
  OwnMetadata &
  Omit<DatabaseRef, "strategy"> & {
    /** Null where the app has no database. */
    strategy: Strategy | null;
    /** Hash of the pod template that is wanted for it. */
    template: string;
    /** Annotations of that template: webhooks go by them. */
    podAnnotations: Record<string, string>;
    /** The pod spec of that template. */
    pod: PlainRecord;
    /** The image tag that the pod must report as its version. */
    version: string;
    minReadySeconds: number;
    progressDeadlineSeconds: number;
    /** Glob of the test files, relative to the program's folder. */
    suite: string;
    /** Names of variables of this process that the tests get. */
    suiteEnv: string[];
    smokeTimeoutSeconds: number;
  };

/** 0 where there was nothing to try out. */
export type PreflightOutputs = { passedTests: number };

/**
 * The gates before a change of the live color in place, where config lets there be one. Between two colors
 * they stand before the switch; a rolling update has no such moment, the first new pod that is ready has
 * users. So one pod of the wanted template is started beside the color, without the labels that Services select,
 * has to become ready, work on the schema and pass the smoke suite, and goes.
 *
 * What it cannot prove: how the version does under load, beside pods of the version it replaces, or
 * on another node; that the nodes have room for the pods of the rolling update; and what others have
 * hung on the labels of the color.
 */
export const preflight: Step<PreflightInputs, PreflightOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(_last, inputs) {
    const cluster = connect(inputs);
    return (await isDue(cluster, inputs)) || (await hasPreflightPods(cluster, inputs.app));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      // Of a run that was killed: it has the name of the one to come.
      await untilRemoved(cluster, inputs.app);
      return { passedTests: (await isDue(cluster, inputs)) ? await tryOut(cluster, inputs, say) : 0 };
    });
  },
};

/** Decided by the cluster, as a switch is: what the state remembers may not be what is live. */
async function isDue(cluster: Cluster, { app, activeColor, template }: PreflightInputs): Promise<boolean> {
  if ((await readLiveColor(cluster, app)) !== activeColor) return false;
  const running = templateOf(await readDeployment(cluster, app, activeColor));
  return running !== undefined && running !== template;
}

async function tryOut(cluster: Cluster, inputs: PreflightInputs, say: Say): Promise<number> {
  const { app, activeColor: color } = inputs;
  const pod = { namespace: namespaceOf(cluster, color), name: names.preflight(app, color) };
  return untilInterrupted(async (signal) => {
    try {
      await makePod(cluster, pod, inputs);
      const check = new PodCheck(
        cluster,
        { app, color },
        `put ${inputs.version} on ${otherColor(color)}, where its pods stay to be inspected`,
      );
      const port = httpPort(await untilReady(cluster, pod, inputs, { check, signal, say }));
      if (port === undefined) throw new Error("the pod template has no port named http");
      await refuseSchema(cluster, pod, inputs, say);
      const { version, suite, suiteEnv, smokeTimeoutSeconds: budgetSeconds } = inputs;
      const passedTests = await testPod(
        cluster,
        { ...pod, port },
        { color, version, suite, suiteEnv, budgetSeconds },
        say,
        signal,
      ).catch(async (error: unknown) => {
        throw signal.aborted ? error : ((await problemOf(cluster, pod, check)) ?? error);
      });
      await refuseRestarted(cluster, pod, color);
      say(
        `The change of ${color} has proved itself in pod ${pod.name}: ready, and ${passedTests} tests passed`,
      );
      return passedTests;
    } catch (error) {
      throw new Error(
        `The change of ${color}, which serves traffic, was refused before it reached users\n${messageOf(error)}`,
        { cause: error },
      );
    } finally {
      await untilRemoved(cluster, app).catch((error: unknown) => {
        say(
          `Pod ${pod.name} could not be removed (${messageOf(error)}); it ends by itself within ${lifetimeSeconds(inputs)} s, and the next update removes it`,
        );
      });
    }
  });
}

/**
 * Long enough for everything that is asked of it. A killed run's pod ends then, wherever nobody comes back.
 */
function lifetimeSeconds({ progressDeadlineSeconds, smokeTimeoutSeconds }: PreflightInputs): number {
  return progressDeadlineSeconds + smokeTimeoutSeconds + 60;
}

async function makePod(
  cluster: Cluster,
  { namespace, name }: NamespacedName,
  inputs: PreflightInputs,
): Promise<void> {
  const body: V1Pod = {
    // None of those that a Service of the program selects.
    metadata: {
      name,
      labels: { ...inputs.labels, [preflightLabel]: inputs.app },
      annotations: { ...inputs.annotations, ...inputs.podAnnotations, [templateAnnotation]: inputs.template },
    },
    // It is the one of a Deployment, which the API server has taken, or will check by the same rules.
    spec: { ...inputs.pod, activeDeadlineSeconds: lifetimeSeconds(inputs) } as unknown as V1PodSpec,
  };
  let tried = 0;
  try {
    await untilAnswered(async () => {
      tried++;
      await cluster.core.createNamespacedPod({ namespace, body });
    });
  } catch (error) {
    // Made by the try whose answer was lost.
    if (tried > 1 && statusOf(error) === 409) return;
    throw new UserError(
      {
        code: "BG-PODS-NOT-CREATED",
        what: `Pod ${namespace}/${name} could not be made`,
        rule: messageOf(error),
        next: `kubectl -n ${namespace} describe resourcequota; kubectl get namespace ${namespace} -o yaml`,
      },
      { cause: error },
    );
  }
}

/** The pod when it has been ready for as long as one of the Deployment has to be. */
async function untilReady(
  cluster: Cluster,
  where: NamespacedName,
  inputs: PreflightInputs,
  { check, signal, say }: { check: PodCheck; signal: AbortSignal; say: Say },
): Promise<V1Pod> {
  const { activeColor: color, minReadySeconds, progressDeadlineSeconds } = inputs;
  let readySince: number | undefined;
  let last = "it was not found";
  let waiting = "";
  let told = "";
  try {
    return await poll(
      async () => {
        signal.throwIfAborted();
        const pod = await readPod(cluster, where);
        const now = await check.inspect([pod]);
        if (now?.isLong === true && now.text !== told) {
          told = now.text;
          say(`The change of ${color} is not ready: ${told}`);
        }
        waiting = now?.text ?? waiting;
        readySince = isReady(pod) ? (readySince ?? Date.now()) : undefined;
        if (readySince !== undefined && Date.now() - readySince >= minReadySeconds * 1000) return pod;
        last = `it is ${pod.status?.phase ?? "unknown"}, and not ready for long enough`;
        return undefined;
      },
      { timeoutMs: progressDeadlineSeconds * 1000 },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const problem = await check.atTheEnd();
    if (problem !== undefined) throw problem;
    throw new UserError({
      code: "BG-PREFLIGHT-FAILED",
      what: `Pod ${where.namespace}/${where.name} was not ready within ${progressDeadlineSeconds} s`,
      rule: waiting === "" ? last : `${last}; ${waiting}`,
      next: `put ${inputs.version} on ${otherColor(color)}, where its pods stay to be inspected; with more time: pulumi config set progressDeadlineSeconds N`,
    });
  }
}

async function refuseSchema(
  cluster: Cluster,
  where: NamespacedName,
  inputs: PreflightInputs,
  say: Say,
): Promise<void> {
  const { strategy } = inputs;
  if (strategy === null) return;
  const pod = await readPod(cluster, where);
  const image = appContainer(pod)?.image ?? inputs.version;
  const range = parseRange(await askReady(cluster, pod));
  const { live } = await readSchemaUrls(cluster, { ...inputs, strategy });
  const checked = await ifReachable(
    () => checkVersion(live, { color: inputs.activeColor, image, range }, "The change of"),
    say,
  );
  if (checked instanceof UserError) throw checked;
}

/** Why a pod that was ready is so no more: it says more than the tests that it did not answer. */
async function problemOf(
  cluster: Cluster,
  where: NamespacedName,
  check: PodCheck,
): Promise<UserError | undefined> {
  try {
    await check.inspect([await readPod(cluster, where)]);
    return await check.atTheEnd();
  } catch (error) {
    return error instanceof UserError ? error : undefined;
  }
}

/** A version that dies of the tests passes none of them the second time. */
async function refuseRestarted(cluster: Cluster, where: NamespacedName, color: Color): Promise<void> {
  const pod = await readPod(cluster, where);
  const name = appContainer(pod)?.name;
  const container = pod.status?.containerStatuses?.find((each) => each.name === name);
  if (container?.ready === true && container.restartCount === 0) return;
  throw new UserError({
    code: "BG-PREFLIGHT-FAILED",
    what: `Pod ${where.namespace}/${where.name} did not outlive its tests`,
    rule: `they passed, and then its container had restarted ${container?.restartCount ?? 0} times and was ${container?.ready === true ? "" : "not "}ready`,
    next: `fix it and push a new image, then pulumi config set ${color}Tag TAG && pulumi up`,
  });
}

/** @throws UserError when it has ended, or somebody has removed it */
async function readPod(cluster: Cluster, { namespace, name }: NamespacedName): Promise<V1Pod> {
  const pod = await orUndefined(cluster.core.readNamespacedPod({ name, namespace }));
  if (pod !== undefined && pod.metadata?.deletionTimestamp === undefined && pod.status?.phase !== "Failed")
    return pod;
  throw new UserError({
    code: "BG-PREFLIGHT-FAILED",
    what: `Pod ${namespace}/${name} is gone before its verdict`,
    rule:
      pod?.status?.message ??
      pod?.status?.reason ??
      "somebody has removed it: one update at a time may try out a change",
    next: `kubectl -n ${namespace} get events --sort-by=.lastTimestamp, then pulumi up`,
  });
}

const removalTimeoutMs = 60_000;

/** Resolves when none is left. @throws Error when one does not go */
async function untilRemoved(cluster: Cluster, app: string): Promise<void> {
  await poll(async () => ((await removePreflightPods(cluster, app)) ? true : undefined), {
    timeoutMs: removalTimeoutMs,
    intervalMs: 1000,
  });
}
