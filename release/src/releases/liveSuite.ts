import type { Cluster } from "../kubernetes/cluster.js";
import type { SuiteResult, FailedTest, SuiteInputs } from "../gates/suite.js";
import { podToTest } from "../gates/gateKind.js";
import { askSuite } from "../gates/smoke.js";
import type { SuiteRun } from "../state/liveNote.js";
import { isInterruption } from "../util/interrupt.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";

/** Of each run so many failing tests are named. */
const namedTests = 5;
const titleLength = 200;

/**
 * The smoke suite against the live color, before an update does anything and after what it has done. It is the suite
 * of the new version: what only that one can pass has failed before as well, and accuses nobody.
 */
export class LiveSuite {
  /** What people read of each run. */
  readonly runs: SuiteRun[] = [];
  private before: SuiteResult | undefined;
  /** When the last run against a pod has ended; infinite while it continues. */
  private readonly endedAt = new Map<string, number>();

  constructor(
    private readonly cluster: Cluster,
    private readonly inputs: SuiteInputs & { app: string },
    private readonly say: Say,
  ) {}

  /** What passes before anything is done. A suite that cannot be run accuses nobody, and stops nothing. */
  async begin(signal: AbortSignal): Promise<void> {
    const { say, inputs } = this;
    const result = await this.run("before the update", signal);
    if (result === undefined) return;
    this.before = result;
    if (result.failed.length > 0)
      say(
        `before this update does anything, ${result.failed.length} of ${result.failed.length + result.passed.length} smoke tests fail against ${inputs.color}, which is live, and are held against nobody: ${namesOf(result.failed)}`,
      );
    if (result.passed.length === 0)
      say(`no smoke test passes against ${inputs.color}: they cannot tell whether this update harms it`);
  }

  /**
   * @param moment after what the update has done
   * @returns the tests that fail now, twice in a row, and did not before
   */
  async accuse(moment: string, signal: AbortSignal): Promise<FailedTest[]> {
    const { before } = this;
    if (before === undefined || before.passed.length === 0) return [];
    const first = await this.run(moment, signal);
    const failing = first === undefined ? [] : newlyFailing(before, first);
    if (failing.length === 0) return [];
    // One alone may have met a moment of load, or a lock.
    const second = await this.run(`${moment}, once more`, signal);
    if (second === undefined) return [];
    const again = new Set(newlyFailing(before, second).map(({ title }) => title));
    return failing.filter(({ title }) => again.has(title));
  }

  /** Pods that have got its requests since then, which are nobody's. */
  testedSince(at: number): ReadonlySet<string> {
    return new Set([...this.endedAt].flatMap(([name, endedAt]) => (endedAt >= at ? [name] : [])));
  }

  /** @returns undefined where the tests could not be run, which is said */
  private async run(moment: string, signal: AbortSignal): Promise<SuiteResult | undefined> {
    const { cluster, inputs, say, endedAt } = this;
    const title = `smoke tests of ${inputs.color}, live, ${moment}`;
    try {
      const pod = await podToTest(cluster, inputs, `The smoke suite of ${inputs.color}, which is live,`);
      endedAt.set(pod.name, Infinity);
      const result = await askSuite(cluster, pod, inputs, { title, say, signal }).finally(() => {
        endedAt.set(pod.name, performance.now());
      });
      if (result.passed.length + result.failed.length === 0) {
        say(`${title}: none ran: ${result.stderr.split("\n")[0] ?? ""}`);
        return undefined;
      }
      if (result.timedOut) say(`${title}: they did not end within ${inputs.budgetSeconds} s`);
      const failed = result.failed.slice(0, namedTests).map(({ title: name }) => name.slice(0, titleLength));
      this.runs.push({ moment, passed: result.passed.length, failed, failures: result.failed.length });
      return result;
    } catch (error) {
      if (signal.aborted || isInterruption(error)) throw error;
      say(`${title}: they could not be run: ${messageOf(error)}`);
      return undefined;
    }
  }
}

function namesOf(failed: readonly FailedTest[]): string {
  const named = failed.slice(0, namedTests).map(({ title }) => title);
  const more = failed.length - named.length;
  return `${named.join("; ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Mocha's name of a hook: one that fails hides the tests behind it, and has no result where it passes. */
const hook = /"(?:before|after) (?:all|each)" hook\b/;

/**
 * Test by test, by their full titles. A suite that has not ended before knows nothing of its hooks.
 * @returns what fails now and did not before
 */
export function newlyFailing(before: SuiteResult, now: SuiteResult): FailedTest[] {
  const [passed, failed] = [new Set(before.passed), new Set(before.failed.map(({ title }) => title))];
  return now.failed.filter(
    ({ title }) => !failed.has(title) && (passed.has(title) || (hook.test(title) && !before.timedOut)),
  );
}
