import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { edgeAnswers, hasEdge } from "../edge/edge";
import { postgresAnswers } from "../services/postgres";
import { redisAnswers } from "../services/redis";
import { tail } from "../system/run";
import { waitFor } from "../system/wait";
import { askApi, type ApiAnswer } from "./api";
import { logFile } from "./components";
import { nodeName, type Layout } from "./layout";
import {
  componentStatuses,
  readPorts,
  supervisorLog,
  supervisorPid,
  type ComponentStatus,
} from "./supervisor";

/**
 * Waits until the stage is complete. Fails early, with the end of its log, when a component does not stay up.
 */
export async function untilComplete(
  paths: Layout,
  timeoutMs: number,
  progress: (text: string) => void,
): Promise<void> {
  let missing: string | undefined;
  await waitFor(
    async () => {
      missing = await whatIsMissing(paths);
      if (missing === undefined) return true;
      progress(missing);
      await failOnCrashLoop(paths);
      return undefined;
    },
    timeoutMs,
    async () =>
      notWorking(paths, `not complete after ${String(timeoutMs / 1000)} s: ${missing ?? "nothing"}`),
  );
}

/** Waits until containerd takes images. */
export async function untilContainerd(paths: Layout, timeoutMs: number): Promise<void> {
  await waitFor(
    async () => {
      if (existsSync(paths.containerdSocket)) return true;
      await failOnCrashLoop(paths);
      return undefined;
    },
    timeoutMs,
    async () => notWorking(paths, "containerd does not start"),
  );
}

/** The first thing the stage lacks, in words; undefined when it is complete. */
export async function whatIsMissing(paths: Layout): Promise<string | undefined> {
  if ((await supervisorPid(paths)) === undefined) return "the supervisor does not run";
  if (!existsSync(paths.ports)) return "the start was cut off";
  const { api: port } = await readPorts(paths);
  const [api, node, account, postgres, redis] = await Promise.all([
    askApi(paths, port, "/readyz"),
    askApi(paths, port, `/api/v1/nodes/${nodeName}`),
    askApi(paths, port, "/api/v1/namespaces/default/serviceaccounts/default"),
    postgresAnswers(paths.postgres),
    redisAnswers(paths.redis),
  ]);
  if (!api.ok) return `the API server is not ready (${api.reason})`;
  if (!nodeIsReady(node)) return "the node is not ready";
  // Without it no pod is admitted: the controller manager has to be at work.
  if (!account.ok) return "the controller manager has not made the first service account";
  if (!postgres) return "PostgreSQL does not answer";
  if (!redis) return "Redis does not answer";
  const down = [...(await componentStatuses(paths))].find(([, status]) => !isUp(status));
  if (down !== undefined) return `${down[0]} does not run`;
  if ((await hasEdge(paths)) && !(await edgeAnswers(paths))) return "the edge does not answer";
  return undefined;
}

/**
 * How long a component that ended has to be up again before it counts: one that cannot start is up for a
 * moment each time.
 */
const provenMs = 3000;

function isUp({ pid, starts, since }: ComponentStatus): boolean {
  return pid !== 0 && (starts === 1 || Date.now() - since > provenMs);
}

function nodeIsReady(answer: ApiAnswer): boolean {
  if (!answer.ok) return false;
  const { status } = answer.body as { status?: { conditions?: { type: string; status: string }[] } }; // v1.Node
  return (
    status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ===
    true
  );
}

/** A component that ended this often does not come up by itself. */
const crashLoopStarts = 4;

async function failOnCrashLoop(paths: Layout): Promise<void> {
  if ((await supervisorPid(paths)) === undefined) throw await notWorking(paths, "the supervisor ended");
  const crashing = [...(await componentStatuses(paths))].find(
    ([, { starts, pid }]) => starts >= crashLoopStarts && pid === 0,
  );
  if (crashing !== undefined) throw await notWorking(paths, `${crashing[0]} ends again and again`);
}

/** An error with the end of the log of each component that ended, or of the supervisor when it is gone. */
async function notWorking(paths: Layout, reason: string): Promise<Error> {
  const statuses = [...(await componentStatuses(paths))];
  const ended =
    (await supervisorPid(paths)) === undefined ? [] : statuses.filter(([, { lastExit }]) => lastExit !== "");
  const parts = await Promise.all([
    ...ended.map(
      async ([name, { lastExit, starts }]) =>
        `${name}: ${lastExit}, started ${String(starts)} times. ${await endOf(logFile(paths, name))}`,
    ),
    ...(ended.length === 0 ? [endOf(supervisorLog(paths))] : []),
  ]);
  return new Error(
    `The local stage does not work: ${reason}.\n${parts.join("\n")}\nAll logs: ${paths.logs}. Try again from nothing: npm run stop && npm start`,
  );
}

async function endOf(log: string): Promise<string> {
  return existsSync(log)
    ? `The end of ${log}:\n${tail(await readFile(log, "utf8"))}`
    : `There is no log ${log}.`;
}
