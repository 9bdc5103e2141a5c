import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request, type OutgoingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { poll } from "@bluegreen/release";
import { start } from "../../support/bluegreen";
import type { TestStack } from "../../../local/testing/testStack";

export interface RunningDashboard {
  process: ChildProcess;
  /** As it was printed, with the token. */
  url: string;
  /** All that it has printed. */
  said: () => string;
  /** Tells it to end. @returns the exit code */
  end(): Promise<number | null>;
}

export async function startDashboard(
  test: TestStack,
  env: Record<string, string>,
): Promise<RunningDashboard> {
  const child = start(test, { env }, "dashboard");
  let said = "";
  for (const output of [child.stdout, child.stderr])
    output.setEncoding("utf8").on("data", (part: string) => {
      said += part;
    });
  const ended = once(child, "close") as Promise<[number | null]>;
  const url = await poll(
    () => {
      if (child.exitCode !== null) throw new Error(`the dashboard has ended: ${said}`);
      return Promise.resolve(/http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(said)?.[0]);
    },
    { timeoutMs: 600_000, intervalMs: 50 },
  );
  return {
    process: child,
    url,
    said: () => said,
    end: async () => {
      child.kill("SIGINT");
      return (await ended)[0];
    },
  };
}

/** A request that no browser would make. @returns the status and the text of the answer */
export async function askRaw(
  url: string,
  {
    method = "GET",
    headers = {},
    body = "",
  }: { method?: string; headers?: OutgoingHttpHeaders; body?: string },
): Promise<{ status: number | undefined; location: string | undefined; text: string }> {
  const asked = request(url, { method, headers });
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
  return { status: answer.statusCode, location: answer.headers.location, text: await text(answer) };
}
