import { keyOf, type Times } from "./times";
import type { Batch } from "./suites";

/** Of a batch that never ran. */
const unknownSeconds = 60;

/**
 * Those that take longest first, so that none of them is left at the end while the other places are empty. Files of a
 * serial suite wait for each other, so that together they are one of its length: one place has them from the start.
 */
export function longestFirst(batches: readonly Batch[], times: Times): Batch[] {
  const seconds = (batch: Batch) => times[keyOf(batch)]?.seconds ?? unknownSeconds;
  const chain = (batch: Batch) =>
    batches
      .filter((each) => each === batch || (batch.suite.serial === true && each.suite === batch.suite))
      .reduce((sum, each) => sum + seconds(each), 0);
  const keyed = batches.map((batch) => ({ batch, chain: chain(batch), seconds: seconds(batch) }));
  return keyed.sort((a, b) => b.chain - a.chain || b.seconds - a.seconds).map(({ batch }) => batch);
}

export interface Course {
  /** Files at a time; of suites that wait, one more. */
  places: number;
  /** Nothing begins any more once it says so. */
  signal: AbortSignal;
  /** Settled when the stage is there; what needs one does not begin before. */
  stage: Promise<void>;
}

/**
 * Runs each batch, in their order where nothing keeps one from its place: of a serial suite one runs at a time, and
 * beside one that is alone none. What runs alone comes last, so that no place is emptied for it before.
 * @throws what kept the stage from coming up, after all that needs none
 */
export async function runAll(
  batches: readonly Batch[],
  { places, signal, stage }: Course,
  run: (batch: Batch) => Promise<void>,
): Promise<void> {
  const waiting = [...batches];
  const drop = (which: (batch: Batch) => boolean) => {
    waiting.splice(0, waiting.length, ...waiting.filter((each) => !which(each)));
  };
  signal.addEventListener(
    "abort",
    () => {
      drop(() => true);
    },
    { once: true },
  );
  if (signal.aborted) return;
  const needsStage = ({ suite }: Batch) => suite.stage !== undefined;
  const cluster: { state: "starting" | "up" | "failed" } = { state: "starting" };
  const started = stage.then(
    () => {
      cluster.state = "up";
    },
    () => {
      cluster.state = "failed";
      drop(needsStage);
    },
  );
  const running = new Map<Batch, Promise<void>>();
  const canBegin = (batch: Batch) => {
    const { suite } = batch;
    const beside = [...running.keys()].map((each) => each.suite);
    if (needsStage(batch) && cluster.state !== "up") return false;
    if (beside.some(({ alone }) => alone === true)) return false;
    if (suite.alone === true)
      return beside.length === 0 && waiting.every((each) => each.suite.alone === true);
    if (suite.serial === true && beside.includes(suite)) return false;
    return suite.waits === true
      ? beside.every(({ waits }) => waits !== true)
      : beside.filter(({ waits }) => waits !== true).length < places;
  };
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.find(canBegin);
    if (next === undefined) {
      await Promise.race([...running.values(), ...(cluster.state === "starting" ? [started] : [])]);
      continue;
    }
    waiting.splice(waiting.indexOf(next), 1);
    running.set(
      next,
      run(next).finally(() => running.delete(next)),
    );
  }
  await stage;
}
