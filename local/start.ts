/** `npm start`: the whole of a release on one machine, or in a context of yours. */
import { join } from "node:path";
import { connect, describeLive, messageOf } from "@bluegreen/release";
import { layout } from "./cluster/layout";
import { tableOf } from "./load/table";
import { cacheDir, stageId } from "./paths";
import { endProcess } from "@bluegreen/release/util/process";
import { openDashboard } from "./start/dashboard";
import { stackEnvironment } from "./start/home";
import { Interrupt } from "./start/interrupt";
import { foreignWords, localWords } from "./start/lastWords";
import { readLinks } from "./start/links";
import { readOptions, type StartOptions } from "./start/options";
import { release } from "./start/release";
import { writeReport } from "./start/report";
import { app, foreignTarget, localTarget, type Target } from "./start/target";
import { withLock } from "./system/lock";
import { runTasks } from "./tasks";

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env);
  // Whoever reads the figures by a program gets nothing else.
  if (options.json) console.log = console.error;
  const interrupt = new Interrupt();
  if (options.foreign !== undefined) return run(await foreignTarget(options.foreign), options, interrupt);
  return withLock(
    join(cacheDir(), "locks", `start-${stageId()}`),
    async () => run(await localTarget(), options, interrupt),
    () => {
      console.log("Another npm start of this stage runs: waiting for its end.");
    },
  );
}

/** @returns the exit code */
async function run(target: Target, options: StartOptions, interrupt: Interrupt): Promise<number> {
  // A passphrase that the user has exported is another stack's.
  delete process.env["PULUMI_CONFIG_PASSPHRASE"];
  Object.assign(process.env, stackEnvironment(target.home), target.env);
  try {
    const figures = await release(target, options, interrupt);
    if (options.foreign === undefined) await showDashboard(target);
    console.log(
      `\n${tableOf(figures)}\n${await writeReport(target, figures)}\n\n${await lastWords(target, options)}`,
    );
    if (options.json) process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
    return figures.failures === 0 ? 0 : 1;
  } catch (error) {
    console.error(
      interrupt.signal.aborted
        ? "\nStopped: the load is gone, the rest stays as it is."
        : `\n${messageOf(error)}`,
    );
    console.error(
      `${await describeLive(connect(target), app)} Config may be ahead of that: npm run pulumi -- preview shows by what. npm start begins again from here, whatever the state.\n\n${await lastWords(target, options)}`,
    );
    return interrupt.signal.aborted ? 130 : 1;
  }
}

/** The figures are what the run was for: a dashboard that does not start is said, and spoils none of them. */
async function showDashboard(target: Target): Promise<void> {
  try {
    await runTasks([{ title: "Dashboard", run: async () => openDashboard(layout(), target.home) }]);
  } catch (error) {
    console.error(messageOf(error));
  }
}

async function lastWords(target: Target, { foreign }: StartOptions): Promise<string> {
  return foreign === undefined ? localWords(await readLinks()) : foreignWords(target);
}

main().then(endProcess, (error: unknown) => {
  console.error(`\n${messageOf(error)}`);
  endProcess(1);
});
