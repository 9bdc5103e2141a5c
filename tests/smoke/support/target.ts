/** The time one test has; a color that hangs must not use up the budget of the whole gate. */
export const TEST_LIMIT_MS = 10_000;

/** Just below the test's own limit, so that the message names the request. */
const REQUEST_LIMIT_MS = 8000;

/** The color under test, as the gate names it. */
export function expected(name: "BASE_URL" | "EXPECT_COLOR" | "EXPECT_VERSION"): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    throw new Error(
      `${name} is not set. The smoke suite needs it, for example: BASE_URL=http://127.0.0.1:3000 EXPECT_COLOR=green EXPECT_VERSION=v2 npx mocha -r @bluegreen/release/gates/suiteProcess 'tests/smoke/*.ts'`,
    );
  }
  return value;
}

export function urlOf(path: string): URL {
  return new URL(path, expected("BASE_URL"));
}

export function request(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(urlOf(path), { signal: AbortSignal.timeout(REQUEST_LIMIT_MS), ...init });
}
