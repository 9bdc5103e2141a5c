import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleApp } from "../images/app";
import { startOwned, type Owned } from "../system/owned";

const startTimeoutMs = 20_000;

/**
 * One process of the reference app, real but for its database, which answers for every simulated pod:
 * /ready with its schema range (and 503), /metrics with its own counters.
 * @param within a command that runs another one in the stage's network
 */
export async function startAnsweringApp(folder: string, within: string[]): Promise<Owned & { port: number }> {
  const [bundle, log] = [join(folder, "app.cjs"), join(folder, "app.log")];
  await bundleApp({ tag: "v1", release: "v1", fault: "none" }, bundle);
  const nowhere = "127.0.0.1:9";
  const environment = {
    PORT: "0",
    ENVIRONMENT: "blue",
    APP_VERSION: "simulated",
    DATABASE_URL: `postgres://${nowhere}/none`,
    REDIS_URL: `redis://${nowhere}`,
    BLUEGREEN_READ_ONLY_KEY: "simulated",
    OPENAI_API_KEY: "none",
    OPENAI_BASE_URL: `http://${nowhere}`,
  };
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const app = startOwned(
    "The app that answers for simulated pods",
    [
      "env",
      "-i",
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      process.execPath,
      bundle,
    ],
    owner,
    log,
    within,
  );
  let port: number | undefined;
  await app.ready(async () => {
    port = portIn(await readFile(log, "utf8"));
    return port !== undefined;
  }, startTimeoutMs);
  return { ...app, port: port ?? 0 };
}

function portIn(log: string): number | undefined {
  const [, port] = /"message":"listening".*"port":(\d+)/.exec(log) ?? [];
  return port === undefined ? undefined : Number(port);
}
