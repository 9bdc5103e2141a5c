/** The watcher in the cluster: watches a switch on when its update is over or was killed. */
import { createServer } from "node:http";
import { z } from "zod";
import { isolations } from "@bluegreen/release/homes";
import { untilInterrupted } from "@bluegreen/release/interrupt";
import { messageOf } from "@bluegreen/release/refusal";
import { readWatcherSettings } from "@bluegreen/release/releases/watcherSettings";
import { watchOn } from "@bluegreen/release/releases/watchOn";
import { shown } from "@bluegreen/release/shown";

/** A look takes seconds where the API server is slow; one that takes longer than this hangs. */
const aliveWithinMs = 90_000;

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set: the program's Deployment sets it`);
  return value;
}

async function main(): Promise<void> {
  const where = { context: "", namespace: required("WATCH_NAMESPACE"), isolation: z.enum(isolations).parse(required("WATCH_ISOLATION")), app: required("WATCH_APP") };
  const settings = readWatcherSettings(required("WATCH_SETTINGS"));
  const holder = `${required("WATCH_POD")} in the cluster`;
  let looked = performance.now();
  const health = createServer((_request, response) => {
    const alive = performance.now() - looked < aliveWithinMs;
    response.writeHead(alive ? 200 : 503).end(alive ? "watching\n" : "the last look is long ago\n");
  });
  health.listen(Number(required("WATCH_HEALTH_PORT")));
  try {
    await untilInterrupted(async (signal) => {
      await watchOn(where, { settings, holder, signal, say: (line) => { console.log(shown(line)); }, looked: () => { looked = performance.now(); } });
    });
  } finally {
    health.close();
    health.closeAllConnections();
  }
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
