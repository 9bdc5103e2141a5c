/** `npm start`: the whole of a release on one machine, or in a context of yours. */
import { join } from "node:path";
import { connect, describeLive, messageOf } from "@bluegreen/release";
import { tableOf } from "./load/table";
import { cacheDir, stageId } from "./paths";
import { stackEnvironment } from "./start/home";
import { Interrupt } from "./start/interrupt";
import { readOptions, type StartOptions } from "./start/options";
import { release } from "./start/release";
import { writeReport } from "./start/report";
import { homeColor } from "./start/stack";
import { app, foreignTarget, localTarget, type Target } from "./start/target";
import { withLock } from "./system/lock";

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
  Object.assign(process.env, target.env);
  try {
    const figures = await release(target, options, interrupt);
    console.log(`\n${tableOf(figures)}\n${await writeReport(target, figures)}\n\n${whatNext(target, options)}`);
    if (options.json) process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
    return figures.failures === 0 ? 0 : 1;
  } catch (error) {
    console.error(interrupt.signal.aborted ? "\nStopped: the load is gone, the rest stays as it is." : `\n${messageOf(error)}`);
    console.error(`${await describeLive(connect(target), app)} Config may be ahead of that: npm run pulumi -- preview shows by what. npm start begins again from here, whatever the state.\n\n${whatNext(target, options)}`);
    return interrupt.signal.aborted ? 130 : 1;
  }
}

function whatNext({ home, env, newTag }: Target, { foreign }: StartOptions): string {
  const commands = [
    ...(foreign === undefined ? [["npm run status", "what runs, which color is live"]] : []),
    ["npm run pulumi -- preview", "what an update would change"],
    ["npm run pulumi -- config set activeColor green && npm run pulumi -- up --yes", `switch to ${newTag}; with ${homeColor}, back again`],
    foreign === undefined ? ["npm run stop", "end and remove all of it"] : ["npm run pulumi -- destroy --yes", "remove all of it, the database excepted"],
  ];
  const exports = Object.entries({ ...env, ...stackEnvironment(home) }).map(([name, value]) => `  export ${name}=${value}`);
  return [
    "Next:",
    // The commands find the local stack by themselves.
    ...(foreign === undefined ? [] : exports),
    ...commands.flatMap(([command = "", purpose = ""]) => [`  ${command}`, `      ${purpose}`]),
  ].join("\n");
}

main().then(
  (code) => {
    process.exit(code);
  },
  (error: unknown) => {
    console.error(`\n${messageOf(error)}`);
    process.exit(1);
  },
);
