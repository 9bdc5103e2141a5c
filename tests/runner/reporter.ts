/** Mocha's reporter inside the process of a batch. */
import { readFileSync, writeSync } from "node:fs";
import { inspect } from "node:util";
import type { Runner, Test } from "mocha";
import { updatesMade } from "../support/updates";
import { eventsFd, type TestEvent } from "./events";

/** Of Linux, whatever the machine. */
const ticksPerSecond = 100;

function tell(event: TestEvent): void {
  writeSync(eventsFd, `${JSON.stringify(event)}\n`);
}

/** @see proc(5): user and system time of the process, and of the children that it has waited for */
function cpuSeconds(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

/** Mocha makes a reporter by `new`. */
function report(runner: Runner): void {
  const title = (test: Test) => test.titlePath().join(" › ");
  const seconds = (test: Test) => (test.duration ?? 0) / 1000;
  runner.on("pass", (test) => { tell({ kind: "passed", title: title(test), seconds: seconds(test) }); });
  runner.on("pending", (test) => { tell({ kind: "skipped", title: title(test), seconds: 0 }); });
  runner.on("fail", (test, error: unknown) => {
    tell({ kind: "failed", title: title(test), seconds: seconds(test), error: error instanceof Error ? (error.stack ?? error.message) : inspect(error) });
  });
  runner.on("end", () => { tell({ kind: "end", cpuSeconds: cpuSeconds(), updates: updatesMade() }); });
}

export = report;
