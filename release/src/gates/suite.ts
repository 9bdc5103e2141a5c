import { createRequire } from "node:module";
import { join } from "node:path";
import type { Color } from "../app/color.js";
import { shellWord } from "../util/bluegreenCommand.js";
import { runCommand } from "../util/runCommand.js";
import { UserError } from "../util/userError.js";

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

interface SuiteRun {
  /** Folder of the program: mocha is resolved from here. */
  cwd: string;
  /** Glob of the test files, relative to `cwd`. */
  suite: string;
  env: Record<string, string>;
  /** Loads the files and runs no test; each counts as passed. @default false */
  isDry?: boolean;
  budgetMs: number;
  /** Ends the run at once. */
  signal?: AbortSignal;
  /** Told after each test. */
  onTest?: (result: SuiteResult) => void;
}

export interface FailedTest {
  title: string;
  /** All that is known of it, in lines. */
  error: string;
}

export interface SuiteResult {
  passed: string[];
  failed: FailedTest[];
  /** True when the budget ran out first; the lists hold what had ended by then. */
  timedOut: boolean;
  /** Exit code of mocha, or null when it was killed. */
  exitCode: number | null;
  /** The first lines mocha wrote to stderr: why a suite could not even load. */
  stderr: string;
}

/**
 * Of this package, wherever this code was bundled into: a program with these gates has it.
 */
const suiteProcess = "@bluegreen/release/gates/suiteProcess";

/** Kept of stderr: enough for the reason why a file does not load; a long stack follows it. */
const stderrLines = 20;

/**
 * Runs a mocha suite in a process of its own, and reads each result as it comes so that a killed run still
 * tells what it saw. Nothing that a test has started outlives it.
 * @throws the reason of `signal` when that has ended it
 */
export async function runMocha({
  cwd,
  suite,
  env,
  isDry = false,
  budgetMs,
  signal,
  onTest,
}: SuiteRun): Promise<SuiteResult> {
  const { resolve } = createRequire(join(cwd, "package.json"));
  const mocha = resolve("mocha/bin/mocha.js");
  const own = resolve(suiteProcess);
  const result: SuiteResult = { passed: [], failed: [], timedOut: false, exitCode: null, stderr: "" };
  const errors: string[] = [];
  const { code, timedOut } = await runCommand(
    [
      process.execPath,
      mocha,
      ...["--require", own, "--reporter", own],
      ...(isDry ? ["--dry-run"] : []),
      "--exit",
      suite,
    ],
    {
      cwd,
      // Nothing of this process's environment that could be a secret reaches the suite.
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
        ...env,
      },
      budgetMs,
      ...(signal !== undefined && { signal }),
      onLine: (line, stream) => {
        if (stream === "stderr") {
          if (errors.length < stderrLines) errors.push(line);
        } else if (collect(line, result)) onTest?.(result);
      },
    },
  );
  signal?.throwIfAborted();
  return { ...result, timedOut, exitCode: code, stderr: errors.join("\n") };
}

/**
 * One line of the reporter: ["pass", {...}] or ["fail", {...}]; anything else is the suite's own output.
 * @returns whether a test has ended
 */
function collect(line: string, result: SuiteResult): boolean {
  const event = parseEvent(line);
  if (event === undefined) return false;
  const [kind, { fullTitle, err }] = event;
  if (kind === "pass") result.passed.push(fullTitle);
  if (kind === "fail") result.failed.push({ title: fullTitle, error: err ?? "failed" });
  return kind === "pass" || kind === "fail";
}

function parseEvent(line: string): [string, { fullTitle: string; err?: string }] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isEvent(parsed) ? parsed : undefined;
}

function isEvent(value: unknown): value is [string, { fullTitle: string; err?: string }] {
  if (!Array.isArray(value) || typeof value[0] !== "string") return false;
  const body: unknown = value[1];
  return (
    typeof body === "object" && body !== null && "fullTitle" in body && typeof body.fullTitle === "string"
  );
}
