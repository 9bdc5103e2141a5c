import { colorService } from "../activeService.js";
import { alerting } from "../alerts/alerting.js";
import type { Color } from "../color.js";
import { untilInterrupted } from "../interrupt.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { forwardPod } from "../kubernetes/portForward.js";
import { sayingWhatIsLive } from "../live.js";
import { Refusal } from "../refusal.js";
import { isWayBack, readRelease } from "../releases/record.js";
import type { Say, Step } from "../step.js";
import { readyPodsBehind, type ReadyPod } from "./endpoints.js";
import { runMocha, type SuiteResult } from "./mochaRun.js";
import { isSwitchPending } from "./switchPending.js";

export type SmokeInputs = ClusterRef & {
  app: string;
  color: Color;
  /** The image tag that the pods must report as their version. */
  version: string;
  /** Hash of the pod template: another image or environment means another run. */
  template: string;
  /** Whether the stack config wants this color to serve users. */
  active: boolean;
  /** Glob of the test files, relative to the program's folder. */
  suite: string;
  budgetSeconds: number;
};

/** None of a rollback, which does not wait for them. */
export type SmokeOutputs = { passedTests: number };

/**
 * The gate before traffic: the smoke suite, against the color itself, while users are still on the
 * other one. Not on the way back: those very pods have served users.
 */
export const smokeGate: Step<SmokeInputs, SmokeOutputs> = alerting("smoke gate", {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    if (last.template !== inputs.template) return true;
    return inputs.active && (await isSwitchPending(inputs));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      if (inputs.active && isWayBack(await readRelease(cluster, inputs.app), inputs)) {
        say(`${inputs.color} goes back to what users had before: its pods are ready, and the smoke suite is not run again`);
        return { passedTests: 0 };
      }
      return { passedTests: await untilInterrupted((signal) => runSuite(cluster, inputs, say, signal)) };
    });
  },
});

/**
 * Runs the suite against a pod of a color, users or not. Returns how many tests passed.
 * @param signal ends it at once
 * @throws Refusal unless all did, or when there is no pod to ask
 */
export async function runSuite(cluster: Cluster, inputs: SuiteInputs & { app: string }, say: Say, signal: AbortSignal): Promise<number> {
  const service = colorService(cluster, inputs.app, inputs.color);
  const [pod] = await readyPodsBehind(cluster, service);
  if (pod === undefined) {
    throw new Refusal({
      what: `The smoke gate of ${inputs.color} was not run: Service ${service.namespace}/${service.name} has no ready endpoint`,
      rule: "a gate needs at least one ready pod to test",
      next: `kubectl -n ${service.namespace} get pods -l app=${inputs.app},version=${inputs.color}`,
    });
  }
  return testPod(cluster, pod, inputs, say, signal);
}

/** What a suite is told, and what its refusal says. */
export type SuiteInputs = Pick<SmokeInputs, "color" | "version" | "suite" | "budgetSeconds">;

/**
 * Runs the suite against one pod. Returns how many tests passed.
 * @param signal ends it at once
 * @throws Refusal unless all did
 */
export async function testPod(cluster: Cluster, pod: ReadyPod, inputs: SuiteInputs, say: Say, signal: AbortSignal): Promise<number> {
  const forwarded = await forwardPod(cluster, pod, pod.port);
  try {
    const result = await runMocha({
      cwd: process.cwd(),
      suite: inputs.suite,
      env: { BASE_URL: forwarded.url, EXPECT_COLOR: inputs.color, EXPECT_VERSION: inputs.version },
      budgetMs: inputs.budgetSeconds * 1000,
      signal,
      onTest: nowAndThen(({ passed, failed }) => { say(`smoke tests of ${inputs.color}: ${passed.length} passed${failed.length === 0 ? "" : `, ${failed.length} failed`}`); }),
    });
    refuseFailure(inputs, result);
    return result.passed.length;
  } finally {
    forwarded.close();
  }
}

/** Somebody waits for it, and nobody reads a line for every test. */
function nowAndThen(tell: (result: SuiteResult) => void): (result: SuiteResult) => void {
  let toldAt = -Infinity;
  return (result) => {
    if (performance.now() - toldAt < toldEveryMs) return;
    toldAt = performance.now();
    tell(result);
  };
}

const toldEveryMs = 1000;

/** A suite passes when every test ran, at least one did, and mocha says so itself. */
export function refuseFailure(inputs: SuiteInputs, result: SuiteResult): void {
  const { color, version, suite, budgetSeconds } = inputs;
  const next = `fix it and push a new image, then pulumi config set ${color}Tag TAG && pulumi up`;
  if (result.timedOut) {
    throw new Refusal({
      what: `The smoke gate of ${color} (${version}) ran out of its ${budgetSeconds} s`,
      rule: `${result.passed.length} tests had passed, ${result.failed.length} failed${listOf(result)}`,
      next: `${next}; with more time: pulumi config set smokeBudgetSeconds N`,
    });
  }
  if (result.failed.length > 0) {
    throw new Refusal({
      what: `The smoke gate of ${color} (${version}) failed`,
      rule: `${result.failed.length} of ${result.passed.length + result.failed.length} tests failed${listOf(result)}`,
      next,
    });
  }
  if (result.passed.length === 0 || result.exitCode !== 0) {
    throw new Refusal({
      what: `The smoke gate of ${color} (${version}) proved nothing: ${result.passed.length} tests ran, mocha ended with ${result.exitCode ?? "a signal"}`,
      rule: result.stderr === "" ? `no test was found by ${suite}` : result.stderr,
      next: `npx mocha ${suite}`,
    });
  }
}

function listOf({ failed }: SuiteResult): string {
  return failed.map(({ title, error }) => `\n        ✗ ${title}\n          ${error.split("\n")[0] ?? ""}`).join("");
}
