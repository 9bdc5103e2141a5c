import { alerting } from "../alerts/raise.js";
import { untilInterrupted } from "../util/interrupt.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { forwardPod } from "../kubernetes/portForward.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import { UserError } from "../util/userError.js";
import { refuseHarm } from "../state/harm.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import type { Say, Step } from "../util/step.js";
import type { ReadyPod } from "../kubernetes/pods.js";
import { runMocha, dryRun, variablesOf, type SuiteResult, type SuiteInputs } from "./suite.js";
import { podToTest } from "./gateKind.js";
import { isSwitchPending } from "../traffic/move.js";

export type SmokeInputs = ClusterRef &
  SuiteInputs & {
    app: string;
    /** Hash of the pod template: another image or environment means another run. */
    template: string;
    /** Whether the stack config wants this color to serve traffic. */
    active: boolean;
  };

/** None of a rollback, which does not wait for them. */
export type SmokeOutputs = { passedTests: number };

/**
 * The gate before traffic: the smoke suite, against the color itself, while traffic is still on the
 * other one. Not on the rollback: those very pods have served traffic.
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
      if (inputs.active && isRollbackTarget(await readRelease(cluster, inputs.app), inputs)) {
        say(
          `${inputs.color} returns to what was live before: its pods are ready, and the smoke suite is not run again`,
        );
        return { passedTests: 0 };
      }
      refuseHarm(cluster, inputs.app);
      const passedTests = await untilInterrupted((signal) => runSuite(cluster, inputs, say, signal));
      refuseHarm(cluster, inputs.app);
      return { passedTests };
    });
  },
});

/**
 * Runs the suite against a pod of a color, with traffic or without. Returns how many tests passed.
 * @param signal ends it at once
 * @throws UserError unless all did, or when there is no pod to ask
 */
export async function runSuite(
  cluster: Cluster,
  inputs: SuiteInputs & { app: string },
  say: Say,
  signal: AbortSignal,
): Promise<number> {
  const pod = await podToTest(cluster, inputs, `The smoke gate of ${inputs.color}`);
  return testPod(cluster, pod, inputs, say, signal);
}

/**
 * Runs the suite against one pod. Returns how many tests passed.
 * @param signal ends it at once
 * @throws UserError unless all did
 */
export async function testPod(
  cluster: Cluster,
  pod: ReadyPod,
  inputs: SuiteInputs,
  say: Say,
  signal: AbortSignal,
): Promise<number> {
  const result = await askSuite(cluster, pod, inputs, {
    title: `smoke tests of ${inputs.color}`,
    say,
    signal,
  });
  refuseFailure(inputs, result);
  return result.passed.length;
}

export interface SuiteTalk {
  /** What people read before its figures. */
  title: string;
  say: Say;
  /** Ends it at once. */
  signal: AbortSignal;
}

/** Runs the suite against one pod. @returns what each test came to, without what its environment has told it */
export async function askSuite(
  cluster: Cluster,
  pod: ReadyPod,
  inputs: SuiteInputs,
  { title, say, signal }: SuiteTalk,
): Promise<SuiteResult> {
  const { env, missing } = variablesOf(inputs);
  if (missing.length > 0)
    say(
      `smokeEnv names ${missing.join(", ")}, which ${missing.length > 1 ? "are" : "is"} not set here: the tests do without`,
    );
  const tell = ({ passed, failed }: SuiteResult) => {
    say(`${title}: ${passed.length} passed${failed.length === 0 ? "" : `, ${failed.length} failed`}`);
  };
  const forwarded = await forwardPod(cluster, pod, pod.port);
  try {
    const result = await runMocha({
      cwd: process.cwd(),
      suite: inputs.suite,
      env: { ...env, BASE_URL: forwarded.url, EXPECT_COLOR: inputs.color, EXPECT_VERSION: inputs.version },
      budgetMs: inputs.budgetSeconds * 1000,
      signal,
      onTest: nowAndThen(tell),
    });
    // The last line stays on the screen.
    tell(result);
    return withoutSecrets(result, Object.values(env));
  } finally {
    forwarded.close();
  }
}

/** What a test was told by its environment may be a password, and stand in what it says. */
function withoutSecrets(result: SuiteResult, values: string[]): SuiteResult {
  const hidden = (text: string) =>
    values
      .filter((value) => value.length >= shortestSecret)
      .reduce((shown, value) => shown.replaceAll(value, "[secret]"), text);
  return {
    ...result,
    failed: result.failed.map(({ title, error }) => ({ title: hidden(title), error: hidden(error) })),
    stderr: hidden(result.stderr),
  };
}

/** A shorter one would hide words that are no secret. */
const shortestSecret = 4;

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
    throw new UserError({
      code: "BG-SMOKE-TIMEOUT",
      what: `The smoke gate of ${color} (${version}) ran out of its ${budgetSeconds} s`,
      rule: `${result.passed.length} tests had passed, ${result.failed.length} failed${listOf(result)}`,
      next: `${next}; with more time: pulumi config set smokeTimeoutSeconds N`,
    });
  }
  if (result.failed.length > 0) {
    throw new UserError({
      code: "BG-SMOKE-FAILED",
      what: `The smoke gate of ${color} (${version}) failed`,
      rule: `${result.failed.length} of ${result.passed.length + result.failed.length} tests failed${listOf(result)}`,
      next,
    });
  }
  if (result.passed.length === 0 || result.exitCode !== 0) {
    throw new UserError({
      code: "BG-SMOKE-NO-TESTS",
      what: `The smoke gate of ${color} (${version}) proved nothing: ${result.passed.length} tests ran, mocha ended with ${result.exitCode ?? "a signal"}`,
      rule: result.stderr === "" ? `no test was found by ${suite}` : result.stderr,
      next: dryRun(suite),
    });
  }
}

/** Of an error: enough for what was expected and what came instead; a whole page in it is not. */
const errorLines = 20;

function listOf({ failed }: SuiteResult): string {
  return failed.map(({ title, error }) => `\n        ✗ ${title}${linesOf(error)}`).join("");
}

function linesOf(error: string): string {
  const lines = error.split("\n").filter((line) => line.trim() !== "");
  const left = lines.length - errorLines;
  return [...lines.slice(0, errorLines), ...(left > 0 ? [`… ${left} more lines`] : [])]
    .map((line) => `\n          ${line}`)
    .join("");
}
