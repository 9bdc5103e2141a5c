/**
 * `npm run bench:rollback`: how quickly traffic is back. From the decision to the first answer of the old
 * color and to the last one of the bad color, by new connections and by kept ones, beside a bare patch of
 * the selector. Times of one run on one machine; compare them within the table. `--runs N` (20), `--json`.
 */
import { program } from "commander";
import { otherColor, type Color } from "@bluegreen/release";
import { readServed } from "@bluegreen/release/state/record";
import { rollBackRelease } from "@bluegreen/release/rollback/rollBackRelease";
import { newTable } from "../cli/table";
import { removeLoad, startLoad, type Load } from "../local/load/job";
import { figuresOf, type Mark } from "../local/load/report";
import type { Client } from "../local/load/samples";
import { untilSwitched } from "../local/load/switched";
import { startStage } from "../local/stage";
import { makeStack, smallAndQuick, twoVersions, type TestStack } from "../local/testing/testStack";
import { patchSelector } from "./patchSelector";
import { runnerFor } from "./runner";

const app = "chatgpt-app";
const rate = 200;
/** The old color, and the one that has to go. */
const good: Color = "blue";
const bad = otherColor(good);

const ways = ["rollback", "bare patch"] as const;
type Way = (typeof ways)[number];

interface Row {
  way: Way;
  client: Client;
  /** Milliseconds from the decision, one for each run. */
  firstOld: number[];
  lastBad: number[];
}

async function rollBackBy(test: TestStack, way: Way): Promise<void> {
  const { cluster } = test;
  if (way === "bare patch") return patchSelector(cluster, good);
  const [to, from] = [await readServed(cluster, app, bad), await readServed(cluster, app, good)];
  if (to === undefined || from === undefined) throw new Error("both colors have to be there");
  const where = {
    context: test.stage.context,
    namespace: cluster.namespace,
    namespacePerColor: false,
    app,
  };
  if (
    !(await rollBackRelease(
      {
        where,
        undone: { to, from, weight: 100 },
        settings: { route: null, database: null, connectionDrainSeconds: 0 },
        reason: "a measurement",
        evidence: [],
        by: "bench",
      },
      () => undefined,
    ))
  )
    throw new Error("traffic was not rolled back");
}

async function measure(
  test: TestStack,
  runs: number,
): Promise<{ rows: Row[]; failures: number; requests: number }> {
  await test.set({
    activeColor: good,
    blueTag: "v1",
    greenTag: "v2",
    analysis: { durationSeconds: 0 },
    env: {
      ...smallAndQuick.env,
      REDIS_URL: test.stage.redis.url,
      CONNECTION_MAX_AGE_SECONDS: "3",
    },
  });
  await test.stack.up();
  const load: Load = await startLoad(test.cluster, {
    app,
    image: `${test.stage.imageRepository}:v1`,
    rate,
    seconds: 600,
  });
  const { signal } = new AbortController();
  const marks: (Mark & { way?: Way })[] = [];
  for (let run = 0; run < runs; run++) {
    for (const way of ways) {
      marks.push({ title: "away", startedAt: Date.now(), endedAt: Date.now() });
      await patchSelector(test.cluster, bad);
      await untilSwitched(load, bad, signal);
      const startedAt = Date.now();
      await rollBackBy(test, way);
      marks.push({ title: way, way, startedAt, endedAt: Date.now() });
      await untilSwitched(load, good, signal);
      process.stderr.write(`\r${run + 1} of ${runs} runs, ${way}        `);
    }
  }
  process.stderr.write("\n");
  const figures = figuresOf(await load.finish(), marks);
  const rows = ways.flatMap((way) =>
    (["short", "keep-alive"] as const).map((client): Row => {
      const spans = figures.phases
        .filter((_, index) => marks[index]?.way === way)
        .flatMap(({ clients }) => clients.filter((each) => each.client === client).map((each) => each.spans));
      return {
        way,
        client,
        firstOld: spans.flatMap((span) => span[good]?.firstMs ?? []),
        lastBad: spans.flatMap((span) => span[bad]?.lastMs ?? []),
      };
    }),
  );
  return { rows, failures: figures.failures, requests: figures.requests };
}

function quantile(values: number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0;
}

function show(rows: Row[]): string {
  const text = newTable(
    [
      "way",
      "connections",
      "first answer of the old: median ms",
      "p95",
      "last of the bad: median ms",
      "p95",
      "runs",
    ],
    2,
  );
  for (const { way, client, firstOld, lastBad } of rows) {
    text.push([
      way,
      client,
      ...[firstOld, lastBad].flatMap((values) =>
        [quantile(values, 0.5), quantile(values, 0.95)].map((ms) => Math.round(ms)),
      ),
      firstOld.length,
    ]);
  }
  return text.toString();
}

async function main(): Promise<void> {
  const options = program
    .description("How quickly traffic is back")
    .option("--runs <count>", "rollbacks of each way", "20")
    .option("--json", "figures for machines")
    .parse()
    .opts<{ runs: string; json?: true }>();
  const runs = Number(options.runs);
  if (!Number.isInteger(runs) || runs < 1 || runs > 20)
    throw new Error(
      `--runs ${options.runs} was refused: a whole number from 1 to 20, because the load is bounded`,
    );
  await startStage({}, runnerFor(options));
  const test = await makeStack(twoVersions);
  try {
    const { rows, failures, requests } = await measure(test, runs);
    console.log(
      options.json === true
        ? JSON.stringify({ rows, failures, requests })
        : `${show(rows)}\n\n${failures} of ${requests} requests failed`,
    );
    process.exitCode = failures === 0 ? 0 : 1;
  } finally {
    await removeLoad(test.cluster);
    await test.remove();
  }
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
