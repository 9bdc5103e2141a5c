import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "./json.js";

const npmScript = "npm run bluegreen --";
const npx = "npx bluegreen";

/** `bluegreen` as it is typed here: what the next command of a message begins with. */
export const bluegreen = typed(process.env, process.cwd());

/** The same where another program reads what it prints: npm prints lines of its own. */
export const bluegreenPiped = bluegreen === npmScript ? "npm run --silent bluegreen --" : bluegreen;

/**
 * As the command itself was called; where Pulumi was, as the program's package.json has it.
 * @param folder of the program
 */
export function typed(env: NodeJS.ProcessEnv, folder: string): string {
  const { npm_lifecycle_event: script, npm_command: command } = env;
  if (script === "bluegreen") return npmScript;
  if (script === "npx" && command === "exec") return npx;
  return hasScript(folder) ? npmScript : npx;
}

function hasScript(folder: string): boolean {
  try {
    const program = parseJson(readFileSync(join(folder, "package.json"), "utf8"));
    const scripts =
      typeof program === "object" && program !== null && "scripts" in program && program.scripts;
    return typeof scripts === "object" && scripts !== null && "bluegreen" in scripts;
  } catch {
    // There is none, or nobody can read it.
    return false;
  }
}

/**
 * A word of a command that somebody may paste: quoted where a shell would not take it as it is. Names come
 * from databases, clusters and files of others.
 */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
