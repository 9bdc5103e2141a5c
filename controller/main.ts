/** The analysis controller: continues an analysis when its update is over or was killed. */
import { createServer } from "node:http";
import { untilInterrupted } from "@bluegreen/release/util/interrupt";
import { messageOf } from "@bluegreen/release/util/userError";
import { readControllerSettings } from "@bluegreen/release/config/analysisSettings";
import { runController } from "@bluegreen/release/releases/controller";
import { shown } from "@bluegreen/release/util/shown";

/** A poll takes seconds where the API server is slow; one that takes longer than this hangs. */
const aliveWithinMs = 90_000;

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "")
    throw new Error(`${name} is not set: the program's Deployment sets it`);
  return value;
}

async function main(): Promise<void> {
  const where = {
    context: "",
    namespace: required("ANALYSIS_NAMESPACE"),
    namespacePerColor: required("ANALYSIS_NAMESPACE_PER_COLOR") === "true",
    app: required("ANALYSIS_APP"),
  };
  const settings = readControllerSettings(required("ANALYSIS_SETTINGS"));
  const holder = `${required("ANALYSIS_POD")} in the cluster`;
  let polled = performance.now();
  const health = createServer((_request, response) => {
    const alive = performance.now() - polled < aliveWithinMs;
    response.writeHead(alive ? 200 : 503).end(alive ? "analyzing\n" : "the last poll is long ago\n");
  });
  health.listen(Number(required("ANALYSIS_HEALTH_PORT")));
  try {
    await untilInterrupted(async (signal) => {
      await runController(where, {
        settings,
        holder,
        signal,
        say: (line) => {
          console.log(shown(line));
        },
        polled: () => {
          polled = performance.now();
        },
      });
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
