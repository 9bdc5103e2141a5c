import type { Color } from "../app/color.js";
import { shellWord } from "../util/shellWord.js";
import { UserError } from "../util/userError.js";
import { runMocha, suiteProcess, type SuiteResult } from "./mochaRun.js";

/** What a suite is told, and what its refusal says. */
export type SuiteInputs = {
  color: Color;
  /** The image tag that the pods must report as their version. */
  version: string;
  /** Glob of the test files, relative to the program's folder. */
  suite: string;
  /** Names of variables of this process that the tests get. Their values are in no input: those are in the state. */
  suiteEnv: string[];
  budgetSeconds: number;
};

/** To load files takes seconds, on a machine that is busy too. */
const loadSeconds = 120;

/** Both colors have the same files, in each of several clusters. */
const loading = new Map<string, Promise<SuiteResult>>();

/**
 * Whether the tests can be run at all: loads their files, as the gate does, and runs none.
 * @throws UserError with what the compiler, or a file, says
 */
export async function loadSuite(inputs: SuiteInputs): Promise<void> {
  const { suite, color, version } = inputs;
  const loaded =
    loading.get(suite) ??
    runMocha({
      cwd: process.cwd(),
      suite,
      // A port at which nobody answers.
      env: {
        ...variablesOf(inputs).env,
        BASE_URL: "http://127.0.0.1:9",
        EXPECT_COLOR: color,
        EXPECT_VERSION: version,
      },
      isDry: true,
      budgetMs: loadSeconds * 1000,
    });
  loading.set(suite, loaded);
  const { passed, timedOut, exitCode, stderr } = await loaded;
  if (passed.length > 0 && exitCode === 0) return;
  throw new UserError({
    code: "BG-SMOKE-NO-TESTS",
    what: "The smoke tests cannot be run, and nothing was touched",
    rule: timedOut
      ? `their files were not loaded within ${loadSeconds} s: requests belong into tests and hooks`
      : stderr === ""
        ? `no test was found by ${suite}`
        : stderr,
    next: `correct it, then check: ${dryRun(suite)}`,
  });
}

/** What shows a person whether the tests can be run. */
export function dryRun(suite: string): string {
  return `npx mocha --require ${suiteProcess} --dry-run ${shellWord(suite)}`;
}

/** What config names of this process's variables, and those that are not there. */
export function variablesOf({ suiteEnv }: SuiteInputs): { env: Record<string, string>; missing: string[] } {
  const given = suiteEnv.map((name) => [name, process.env[name]] as const);
  return {
    env: Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    missing: given.flatMap(([name, value]) => (value === undefined ? [name] : [])),
  };
}
