import { runTasks, type Task } from "../local/tasks";

/** How a measurement runs what comes before it: shown, or in silence where its output is for machines. */
export function runnerFor({ json }: { json?: true }): (tasks: Task[]) => Promise<void> {
  return json === true ? quietly : runTasks;
}

async function quietly(tasks: Task[]): Promise<void> {
  for (const { run } of tasks) await run(() => undefined);
}
