/**
 * Runs `up` and kills its own process with SIGKILL at the n-th save of the state, before or after the file is
 * in place: `crash.ts <folder> <n> before|after`. Ends with 0 when there were fewer saves.
 */
import fs from "node:fs";
import { standInEngine } from "../../local/engine/standIn";

const [, , directory = "", count = "1", when = "before"] = process.argv;
const rename = fs.renameSync;
let saves = 0;

const die = (): void => {
  process.kill(process.pid, "SIGKILL");
};

fs.renameSync = (from, to) => {
  saves++;
  if (saves === Number(count) && when === "before") die();
  rename(from, to);
  if (saves === Number(count)) die();
};

async function main(): Promise<void> {
  const stack = await standInEngine().stack({ name: "test", workDir: directory, env: {} });
  await stack.up();
}

void main();
