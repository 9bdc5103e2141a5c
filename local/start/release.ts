import { connect, otherColor, type Color } from "@bluegreen/release";
import { makePlan } from "../../cli/makePlan";
import { planText } from "../../cli/planText";
import { removeLoad, startLoad, type Load } from "../load/job";
import { figuresOf, type Figures, type Mark } from "../load/report";
import type { LoadLog } from "../load/samples";
import { untilSwitched } from "../load/switched";
import { runTasks, type Task } from "../tasks";
import type { Interrupt } from "./interrupt";
import { homeColor, openStack, updatesOf } from "./stack";
import { app, type Target } from "./target";

export interface ReleaseOptions {
  rate: number;
  replicas: number;
}

/** What one load may send at most, whoever forgets to stop it. */
const loadBounds = { seconds: 600, requests: 200_000 };
/**
 * The main job: a new version beside the old one, users switched to it and back, under load.
 * @throws what stopped it; the load is removed then, and live traffic is where the last update left it
 */
export async function release(
  target: Target,
  { rate, replicas }: ReleaseOptions,
  interrupt: Interrupt,
): Promise<Figures> {
  const { signal } = interrupt;
  const stack = await openStack(target);
  const cluster = connect(target);
  let report: (text: string) => void = () => undefined;
  const up = async (): Promise<void> => {
    await stack.up({
      signal,
      onOutput: (text) => {
        report(text.trim().split("\n").at(-1) ?? "");
      },
    });
  };
  const updates = updatesOf(stack, cluster, target, up);
  const marks: Mark[] = [];
  let load: Load | undefined;
  let plan: string | undefined;
  let log: LoadLog | undefined;

  const task = (title: string, work: () => Promise<void>): Task => ({
    title,
    run: async (progress) => {
      signal.throwIfAborted();
      report = progress;
      await work();
    },
  });
  /** A command under load. What its users got counts until the next one. */
  const marked = async (title: string, command: () => Promise<void>): Promise<void> => {
    const startedAt = Date.now();
    await command();
    marks.push({ title, startedAt, endedAt: Date.now() });
  };
  const switchTo = (title: string, color: Color): Task =>
    task(title, async () => {
      await marked(title, async () => updates.activate(color));
      report(`waiting until all clients are on ${color}`);
      await untilSwitched(running(load), color, signal);
    });

  interrupt.expectCleanUp();
  try {
    await runTasks([
      task(`${target.oldTag} live on ${homeColor}`, async () => {
        await removeLoad(cluster);
        await updates.begin(replicas);
        await target.openApp?.(cluster, app);
      }),
      task(`Load of ${String(rate)} requests/s`, async () => {
        const seconds = Math.min(loadBounds.seconds, Math.floor(loadBounds.requests / rate));
        load = await startLoad(cluster, {
          app,
          image: `${target.imageRepository}:${target.oldTag}`,
          rate,
          seconds,
        });
        marks.push({ title: `${target.oldTag} alone`, startedAt: Date.now(), endedAt: Date.now() });
      }),
      task(`Plan of ${target.newTag}`, async () => {
        await updates.release();
        plan = planText(await makePlan(stack.name));
      }),
    ]);
    if (plan !== undefined) console.log(plan.replaceAll(/^/gm, "  "));
    const idle = otherColor(homeColor);
    const releaseTitle = `${target.newTag} on ${idle}, not live`;
    await runTasks([
      task(releaseTitle, async () => marked(releaseTitle, up)),
      switchTo(`switch to ${idle}`, idle),
      switchTo(`rollback to ${homeColor}`, homeColor),
      task("Reading what the clients saw", async () => {
        log = await running(load).finish();
      }),
    ]);
  } finally {
    await removeLoad(cluster);
  }
  if (log === undefined) throw new Error("The tasks of the release ended without a log of the load.");
  return figuresOf(log, marks);
}

function running(load: Load | undefined): Load {
  if (load === undefined) throw new Error("The load has not been started.");
  return load;
}
