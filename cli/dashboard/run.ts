import { once } from "node:events";
import { UserError } from "@bluegreen/release";
import { endProcess } from "@bluegreen/release/util/process";
import type { DashboardState } from "../../pages/dashboard/state";
import { exitCodes } from "../exitCodes";
import { readGates } from "../gates";
import { app } from "../stackConfig";
import { statusRefsOf } from "../statusRef";
import { Board } from "./board";
import { followCluster } from "./clusterFeed";
import { Jobs } from "./jobs";
import { startPlan } from "./planner";
import { serveDashboard } from "./server";

export interface DashboardOptions {
  stack: string;
  /** 0 takes a free one. */
  port: number;
}

/** Serves the dashboard of a stack until a signal comes, and ends the process then. */
export async function runDashboard({ stack, port }: DashboardOptions): Promise<void> {
  const refs = statusRefsOf(stack);
  const [{ namespace } = { namespace: "" }] = refs;
  const clusters = refs.map(({ together }): DashboardState["clusters"][number] => ({
    name: together?.name ?? null,
    release: null,
    away: null,
    samples: [],
    moves: [],
  }));
  const board = new Board({
    app,
    namespace,
    stack,
    clusters,
    gates: null,
    plan: null,
    jobs: {},
    isEnding: false,
  });
  const ended = new AbortController();
  const { signal } = ended;
  // One after the other, so that what was read last is what is shown.
  let reading = Promise.resolve();
  const showGates = () => {
    reading = reading.then(async () => {
      board.tell({ type: "gates", gates: { ...(await readGates(stack)), readAt: new Date().toISOString() } });
    });
  };
  const jobs = new Jobs(stack, board, showGates);
  const plan = () => {
    const refused = startPlan(stack, board);
    if (refused === undefined) showGates();
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
    if (ref === undefined)
      throw new UserError({
        code: "BG-CLUSTERS-CHANGED",
        what: `${stack} has fewer clusters than when the dashboard was started`,
        rule: "a dashboard is of the clusters that it was started with",
        next: "end it by Ctrl-C, and start it again",
      });
    return ref;
  };
  for (const index of refs.keys())
    void followCluster({ ref: refAt(index), index, board, historyGrew: showGates, signal });
  await once(signal, "abort");
  board.tell({ type: "ending" });
  const running = Object.values(board.state.jobs).filter(({ end }) => end === null);
  for (const { kind, to } of running)
    console.log(`The ${kind} to ${to} is told to end, and says what it does:`);
  board.listen((event) => {
    if (event.type === "said") console.log(event.lines.join("\n"));
  });
  await jobs.ended();
  server.close();
  // A poll of a cluster that hangs is not waited for.
  endProcess(
    running.some(({ kind }) => board.state.jobs[kind]?.end?.isWell === false)
      ? exitCodes.findings
      : exitCodes.clean,
  );
}
