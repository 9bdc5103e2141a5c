/**
 * Loaded into mocha's process before a suite: what compiles its files. It is mocha's reporter as well, and tells
 * each test as a line of JSON.
 */
import { inspect } from "node:util";
import { loadTypeScript } from "../util/loadTypeScript.js";

loadTypeScript(process.cwd());
process.setSourceMapsEnabled(true);

interface Test {
  fullTitle(): string;
}

interface Runner {
  on(event: "pass", told: (test: Test) => void): void;
  on(event: "fail", told: (test: Test, error: unknown) => void): void;
}

/** What mocha makes one of for a run. */
module.exports = function (runner: Runner): void {
  const tell = (event: string, test: Test, error?: string) => {
    process.stdout.write(`${JSON.stringify([event, { fullTitle: test.fullTitle(), err: error }])}\n`);
  };
  runner.on("pass", (test) => {
    tell("pass", test);
  });
  runner.on("fail", (test, error) => {
    tell("fail", test, failureOf(error));
  });
};

/** The whole of it: what was expected, what there was instead, and where. */
function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const { message, stack = "" } = error;
  // Node's own assertions say both; the others leave it to the reporter, and shorten what they say.
  const isTold = "generatedMessage" in error && error.generatedMessage === true;
  const compared =
    isTold || !("expected" in error && "actual" in error)
      ? []
      : [`expected: ${inspect(error.expected)}`, `actual:   ${inspect(error.actual)}`];
  const place = stack.split("\n").find((line) => /^\s+at (?!.*(?:node_modules|node:))/.test(line));
  return [message, ...compared, ...(place === undefined ? [] : [place.trim()])].join("\n");
}
