/**
 * `npm run bench:scale`: what preview, switch, rollback and analysis cost as pods and apps become more, on
 * simulated nodes in the local stage. Simulated: the nodes and what runs in the pods; real: the API server,
 * the program, the engine. Compare the figures of one run with each other. `--apps N` (10), `--pods N` (50,
 * of each color), `--json`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { program } from "commander";
import type { Cluster } from "@bluegreen/release";
import { untilInterrupted } from "@bluegreen/release/util/interrupt";
import { podsPerNode, startSimulatedNodes, type SimulatedNodes } from "../../local/simulated/nodes";
import { startStage } from "../../local/stage";
import { runnerFor } from "../runner";
import { wholeNumber } from "../wholeNumber";
import { makeCopies, removeCopies, untilReady } from "./copies";
import { describeRow, meanOf, parts, rowOf, rowsOf, tableOf, type Row } from "./rows";
import { app, Subject } from "./subject";

/** So many apps of a fleet are measured; the others are there. */
const measuredApps = 2;
/** The first size of each kind, and how much larger the next is. */
const smallest = { apps: 1, pods: 5 } as const;
const factor = 10;

interface Measured {
  pulumi: string;
  /** One app with more and more pods of each color. */
  pods: Row[];
  /** One app among more and more others, each a stack of its own. */
  fleet: Row[];
  /** Preview of more and more apps in one program. */
  oneProgram: Row[];
}

interface Bench {
  apps: number[];
  pods: number[];
  kubeconfig: string;
  nodes: SimulatedNodes;
  say: (text: string) => void;
  signal: AbortSignal;
}

/** Every tenfold up to the largest, which is always in it. */
function sizesUpTo(first: number, largest: number): number[] {
  const sizes: number[] = [];
  for (let size = first; size < largest; size *= factor) sizes.push(size);
  return [...sizes, largest];
}

/** What has been made for it, and has to go in the end. */
interface Made {
  subjects: Subject[];
  /** Namespaces of apps that are only there. */
  copies: string[];
}

async function measure(bench: Bench, made: Made): Promise<Measured> {
  const { kubeconfig, nodes, pods, say, signal } = bench;
  const subject = await Subject.make(kubeconfig, { namespace: nodes.namespace("app-0") });
  made.subjects.push(subject);
  const oneApp: Row[] = [];
  for (const size of pods) {
    signal.throwIfAborted();
    say(`one app: 2 × ${size} pods`);
    await subject.resize(size);
    oneApp.push(...(await measureApp(bench, subject, size)));
  }
  // The last of them is the fleet of one.
  const alone = oneApp.filter(({ size }) => size === pods.at(-1)).map((row) => ({ ...row, size: 1 }));
  const fleet = [...alone, ...(await measureFleet(bench, subject.test.cluster, made))];
  return {
    pulumi: subject.test.stack.pulumiVersion,
    pods: oneApp,
    fleet,
    oneProgram: await measureOneProgram(bench),
  };
}

async function remove({ subjects, copies }: Made): Promise<void> {
  const cluster = subjects[0]?.test.cluster;
  await Promise.all(subjects.map((each) => each.remove()));
  if (cluster !== undefined) await removeCopies(cluster, copies, fleetTimeoutMs);
}

async function measureApp({ say }: Bench, subject: Subject, size: number): Promise<Row[]> {
  const rows = rowsOf(size, await subject.measure());
  for (const row of rows) say(`  ${describeRow(row)}`);
  return rows;
}

/** 10,000 pods are bound and reported at some 50 a second on two cores. */
const fleetTimeoutMs = 1_800_000;
/** Endpoints and rules keep changing for a while after the last pod is ready. */
const gracePeriodMs = 10_000;

async function measureFleet(bench: Bench, cluster: Cluster, { subjects, copies }: Made): Promise<Row[]> {
  const { apps, pods, kubeconfig, nodes, say, signal } = bench;
  const size = pods.at(-1) ?? 0;
  const rows: Row[] = [];
  for (const count of apps.filter((each) => each > 1)) {
    while (subjects.length < Math.min(count, measuredApps)) {
      signal.throwIfAborted();
      say(`app ${subjects.length + 1} of ${count}: 2 × ${size} pods, a stack`);
      const subject = await Subject.make(kubeconfig, {
        namespace: nodes.namespace(`app-${subjects.length}`),
      });
      subjects.push(subject);
      await subject.resize(size);
    }
    const more = Array.from({ length: count - subjects.length - copies.length }, (_, index) =>
      nodes.namespace(`copy-${copies.length + index}`),
    );
    if (more.length > 0) {
      copies.push(...more);
      await makeCopies(cluster, app, more);
      await untilReady(cluster, more, {
        timeoutMs: fleetTimeoutMs,
        signal,
        progress: (text) => {
          say(`${count} apps: ${text}`);
        },
      });
      await delay(gracePeriodMs, undefined, { signal });
    }
    const measured: Row[] = [];
    for (const subject of subjects) {
      signal.throwIfAborted();
      say(`${count} apps: measuring ${subject.test.cluster.namespace}`);
      measured.push(...(await measureApp(bench, subject, count)));
    }
    rows.push(...parts.map((part) => meanOf(measured.filter((row) => row.part === part))));
  }
  return rows;
}

async function measureOneProgram({ apps, kubeconfig, nodes, say, signal }: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  const subject = await Subject.make(kubeconfig, {
    namespace: nodes.namespace("many"),
    workDir: `${__dirname}/many`,
  });
  try {
    for (const count of apps) {
      signal.throwIfAborted();
      say(`preview of ${count} apps in one program`);
      const row = rowOf("preview", count, await subject.preview({ BLUEGREEN_BENCH_APPS: String(count) }));
      say(`  ${describeRow(row)}`);
      rows.push(row);
    }
    return rows;
  } finally {
    await subject.remove();
  }
}

/** Of a fleet a row is one app's part already. */
function fleetTable(rows: Row[]): string {
  return tableOf(
    rows.map((row) => ({
      ...row,
      seconds: row.seconds * row.size,
      cpuSeconds: row.cpuSeconds * row.size,
      apiRequests: row.apiRequests * row.size,
    })),
    "apps",
    "app",
  );
}

/** Requests are counted, not measured: they have to be the same to the last one. */
function verdicts({ pods }: Measured): { what: string; met: boolean }[] {
  return (["preview", "switch", "rollback"] as const).map((part) => {
    const counts = pods
      .filter((row) => row.part === part)
      .map(({ size, apiRequests }) => ({ size, apiRequests }));
    const met = new Set(counts.map(({ apiRequests }) => apiRequests)).size === 1;
    return {
      what: `the API requests of a ${part} do not grow with the pods: ${counts.map(({ size, apiRequests }) => `${apiRequests} with 2 × ${size}`).join(", ")}`,
      met,
    };
  });
}

function show(measured: Measured, sizes: Pick<Bench, "apps" | "pods">): void {
  console.log(`Pulumi ${measured.pulumi}. Nodes, and what runs in the pods, are simulated.\n`);
  console.log(`One app\n${tableOf(measured.pods, "pods of a color", "pod")}\n`);
  console.log(
    `A stack for each app, 2 × ${sizes.pods.at(-1) ?? 0} pods (${measuredApps} measured, or all where they are fewer; MiB of one)\n${fleetTable(measured.fleet)}\n`,
  );
  console.log(
    `All apps in one program, before their first update\n${tableOf(measured.oneProgram, "apps", "app")}\n`,
  );
  for (const { what, met } of verdicts(measured)) console.log(`${met ? "met" : "MISSED"}: ${what}`);
}

async function main(): Promise<void> {
  const options = program
    .description("What a release costs as pods and apps become more, on simulated nodes")
    .option("--apps <count>", "the largest number of apps", "10")
    .option("--pods <count>", "the largest number of pods of each color", "50")
    .option("--json", "figures for machines")
    .parse()
    .opts<{ apps: string; pods: string; json?: true }>();
  const apps = sizesUpTo(smallest.apps, wholeNumber("apps", options.apps, 2, 200));
  const pods = sizesUpTo(smallest.pods, wholeNumber("pods", options.pods, 10, 1000));
  const started = Date.now();
  const say = (text: string) =>
    process.stderr.write(`${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
  const { kubeconfig } = await startStage({}, runnerFor(options));
  const podsInAll = 2 * Math.max(...apps) * Math.max(...pods);
  await untilInterrupted(async (signal) => {
    // Room for a rolling update of one app beside all of them.
    const nodes = await startSimulatedNodes(Math.ceil((1.1 * podsInAll) / podsPerNode) + 1, say);
    const made: Made = { subjects: [], copies: [] };
    try {
      const measured = await measure({ apps, pods, kubeconfig, nodes, say, signal }, made);
      // Before anything is removed: that takes minutes, and may fail.
      if (options.json === true) console.log(JSON.stringify(measured));
      else show(measured, { apps, pods });
      process.exitCode = verdicts(measured).every(({ met }) => met) ? 0 : 1;
    } finally {
      say("removing all of it");
      await remove(made);
      await nodes.stop();
    }
  });
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
