import { Listr } from "listr2";

/** One step of the work that is shown with its elapsed time. */
export interface Task {
  title: string;
  /** @param progress shows a short text beside the title while the task runs */
  run: (progress: (text: string) => void) => Promise<void>;
}

/** Runs the tasks one after the other: a live list on a terminal, plain lines elsewhere. */
export async function runTasks(tasks: Task[]): Promise<void> {
  if (process.stdout.isTTY) await runOnTerminal(tasks);
  else await runInLines(tasks);
}

async function runOnTerminal(tasks: Task[]): Promise<void> {
  await new Listr(
    tasks.map(({ title, run }) => ({
      title,
      task: async (_context, shown) => {
        const started = Date.now();
        let text = "";
        const show = (): void => {
          const elapsed = Date.now() - started;
          // A step of less than a second needs no clock.
          shown.title = title + (elapsed < 1000 ? "" : ` ${seconds(elapsed)}`);
          shown.output = text;
        };
        const clock = setInterval(show, 1000);
        try {
          await run((next) => {
            text = next;
            show();
          });
        } finally {
          clearInterval(clock);
          text = "";
          show();
        }
      },
    })),
    // Signals are for the command to handle: it may have something to clean up.
    { registerSignalListeners: false, rendererOptions: { collapseErrors: false } },
  ).run();
}

/** How often a plain log says that a long step is still running. */
const reminderMs = 30_000;

async function runInLines(tasks: Task[]): Promise<void> {
  for (const { title, run } of tasks) {
    const started = Date.now();
    let last = "";
    let shownAt = 0;
    const say = (text: string): void => {
      last = text;
      if (Date.now() - shownAt < reminderMs) return;
      shownAt = Date.now();
      console.log(`  ${title}: ${text} (${seconds(Date.now() - started)})`);
    };
    const reminder = setInterval(() => {
      say(last === "" ? "still running" : last);
    }, reminderMs);
    try {
      await run(say);
      console.log(`done: ${title} (${seconds(Date.now() - started)})`);
    } catch (error) {
      console.log(`FAILED: ${title} (${seconds(Date.now() - started)})`);
      throw error;
    } finally {
      clearInterval(reminder);
    }
  }
}

function seconds(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${String(Math.floor(ms / 60_000))} min ${String(Math.round((ms % 60_000) / 1000))} s`;
}
