import { once } from "node:events";
import { Command, InvalidArgumentError } from "commander";
import { Refusal } from "@bluegreen/release";
import type { DashboardState } from "../pages/dashboard/state";
import { Board } from "./dashboard/board";
import { followCluster } from "./dashboard/clusterFeed";
import { Jobs } from "./dashboard/jobs";
import { startPlan } from "./dashboard/planner";
import { serveDashboard } from "./dashboard/server";
import { exitCodes } from "./exitCodes";
import { readGates } from "./gates";
import { app } from "./stackSettings";
import { statusRefsOf } from "./statusRef";

interface Options {
  stack: string;
  port: number;
}

const help = `
Serves on 127.0.0.1 alone, and prints an address with a token of this run: open it in a browser. The page
shows a switch as it happens, and asks before it does anything. Ctrl-C ends it: what was started from the
page is told to end, as Ctrl-C does on the command line, and its end is waited for.

Examples:
  npm run bluegreen -- dashboard --stack production
  npm run bluegreen -- dashboard --port 8123

Exit codes: 0 ended by Ctrl-C, 1 and what was started from the page did not end well, 2 it could not start.`;

export function dashboardCommand(): Command {
  return new Command("dashboard")
    .description("Serves a page on this machine: both colors side by side, live, with buttons to switch and to roll back.")
    .option("--stack <stack>", "whose release", "production")
    .option("--port <number>", "of this machine; 0 takes a free one", portNumber, 0)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, port }: Options): Promise<void> {
  const refs = statusRefsOf(stack);
  const [{ namespace } = { namespace: "" }] = refs;
  const clusters = refs.map(({ together }): DashboardState["clusters"][number] => ({ name: together?.name ?? null, release: null, away: null, samples: [], moves: [] }));
  const board = new Board({ app, namespace, stack, clusters, gates: null, plan: null, jobs: {}, isEnding: false });
  const jobs = new Jobs(stack, board);
  const ended = new AbortController();
  const { signal } = ended;
  const showGates = async () => { board.tell({ type: "gates", gates: { ...(await readGates(stack)), readAt: new Date().toISOString() } }); };
  const plan = () => {
    const refused = startPlan(stack, board);
    if (refused === undefined) void showGates();
    return refused;
  };
  const server = await serveDashboard(board, { start: (order) => jobs.start(order), plan }, port);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      ended.abort();
      jobs.interrupt();
    });
  }
  console.log(`${server.url}\n\nCtrl-C ends it.`);

  const refAt = (index: number) => () => {
    const ref = statusRefsOf(stack)[index];
    if (ref === undefined) throw new Refusal({ what: `${stack} has fewer clusters than when the dashboard was started`, rule: "a dashboard is of the clusters that it was started with", next: "end it by Ctrl-C, and start it again" });
    return ref;
  };
  for (const index of refs.keys()) void followCluster({ ref: refAt(index), index, board, historyGrew: () => void showGates(), signal });
  await once(signal, "abort");
  board.tell({ type: "ending" });
  const running = Object.values(board.state.jobs).filter(({ end }) => end === null);
  for (const { kind, to } of running) console.log(`The ${kind} to ${to} is told to end, and says what it does:`);
  board.listen((event) => {
    if (event.type === "said") console.log(event.lines.join("\n"));
  });
  await jobs.ended();
  server.close();
  // A look at a cluster that hangs is not waited for.
  process.exit(running.some(({ kind }) => board.state.jobs[kind]?.end?.isWell === false) ? exitCodes.findings : exitCodes.clean);
}

function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
  return value;
}
