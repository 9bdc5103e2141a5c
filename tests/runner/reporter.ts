/** Mocha's reporter inside the process of a batch. */
import { writeSync } from "node:fs";
import { inspect } from "node:util";
import { AssertionError, config } from "chai";
import { Hook, reporters, type Runner, type Test } from "mocha";
import { processTimeOf } from "../../local/system/processTime";
import { updatesMade } from "../../local/testing/updates";
import { eventsFd, type TestEvent } from "./events";

function tell(event: TestEvent): void {
  writeSync(eventsFd, `${JSON.stringify(event)}\n`);
}

/**
 * Told to stop, mocha itself would be gone, and what its tests have started would stay. So the test that runs
 * fails, no other begins, and the hooks that clean up come to their end, however often it is told.
 */
function stopWhenTold(runner: Runner): void {
  const stop = (signal: NodeJS.Signals) => {
    runner.abort();
    const { currentRunnable: running } = runner;
    const cleansUp = running instanceof Hook && running.title.startsWith('"after');
    // Mocha takes it for an error of what runs.
    if (!cleansUp) throw new Error(`interrupted by ${signal}`);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
}

// Of what a message quotes, in characters. By default it is 40, which says of no refused update why.
config.truncateThreshold = 4_000;

/** With a diff of what is not as expected, where the message alone would show two long lines. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const text = error.stack ?? error.message;
  if (!(error instanceof AssertionError) || error["showDiff"] !== true) return text;
  const [actual, expected] = [error["actual"], error["expected"]].map((side) =>
    inspect(side, {
      depth: null,
      maxArrayLength: null,
      maxStringLength: null,
      sorted: true,
      breakLength: 80,
    }),
  );
  return `${text}\n${reporters.Base.generateDiff(actual ?? "", expected ?? "")}`;
}

/** Mocha makes a reporter by `new`. */
function report(runner: Runner): void {
  stopWhenTold(runner);
  const title = (test: Test) => test.titlePath().join(" › ");
  const seconds = (test: Test) => (test.duration ?? 0) / 1000;
  runner.on("pass", (test) => {
    tell({ kind: "passed", title: title(test), seconds: seconds(test) });
  });
  runner.on("pending", (test) => {
    tell({ kind: "skipped", title: title(test), seconds: 0 });
  });
  runner.on("fail", (test, error: unknown) => {
    tell({
      kind: "failed",
      title: title(test),
      seconds: seconds(test),
      error: textOf(error),
    });
  });
  runner.on("end", () => {
    const { own = 0, children = 0 } = processTimeOf("self") ?? {};
    tell({ kind: "end", cpuSeconds: own + children, updates: updatesMade() });
  });
}

export = report;
