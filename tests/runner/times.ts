import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Table from "cli-table3";
import { z } from "zod";
import { cacheDir } from "../../local/paths";
import type { BatchResult } from "./runBatch";
import type { Batch } from "./suites";

const kept = z.record(
  z.string(),
  z.object({ seconds: z.number(), cpuSeconds: z.number(), updates: z.number() }),
);

/** What each batch took when it ran last, by `keyOf`. */
export type Times = z.infer<typeof kept>;

const path = () => join(cacheDir(), "test-times.json");

export function keyOf({ suite, files }: Batch): string {
  return suite.together || files.length !== 1 ? suite.name : (files[0] ?? suite.name);
}

/** Nothing where nothing was kept: that is an order that is not as good, no failure. */
export function readTimes(): Times {
  try {
    return kept.parse(JSON.parse(readFileSync(path(), "utf8")));
  } catch {
    return {};
  }
}

export function keepTimes(times: Times): string {
  mkdirSync(dirname(path()), { recursive: true });
  writeFileSync(path(), JSON.stringify(times, null, 2));
  return path();
}

export interface Ran {
  batch: Batch;
  result: BatchResult;
}

const minutes = (seconds: number) => (seconds / 60).toFixed(1);

/** By suite, and the files that took longest. */
export function formatTimes(ran: readonly Ran[], files = 15): string {
  const suites = new Table({
    head: ["suite", "passed", "failed", "minutes", "processor minutes", "updates"],
    colAligns: ["left", "right", "right", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const name of new Set(ran.map(({ batch }) => batch.suite.name))) {
    const of = ran.filter(({ batch }) => batch.suite.name === name).map(({ result }) => result);
    const sum = (value: (result: BatchResult) => number) =>
      of.reduce((total, result) => total + value(result), 0);
    suites.push([
      name,
      sum(({ passed }) => passed),
      sum(({ failed }) => failed.length),
      minutes(sum(({ seconds }) => seconds)),
      minutes(sum(({ cpuSeconds }) => cpuSeconds)),
      sum(({ updates }) => updates),
    ]);
  }
  const longest = new Table({
    head: ["longest", "minutes", "processor minutes", "updates"],
    colAligns: ["left", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { batch, result } of [...ran]
    .sort((a, b) => b.result.seconds - a.result.seconds)
    .slice(0, files))
    longest.push([keyOf(batch), minutes(result.seconds), minutes(result.cpuSeconds), result.updates]);
  return `${suites.toString()}\n${longest.toString()}`;
}
