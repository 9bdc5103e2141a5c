import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askApi, type ApiAnswer } from "./cluster/api";
import { adminClient, writeCertificates } from "./cluster/certificates";
import { makeCgroup, removeCgroup } from "./cluster/cgroups";
import { logFile } from "./cluster/components";
import { writeConfiguration } from "./cluster/configuration";
import { writeKubeconfig } from "./cluster/kubeconfig";
import { contextName, layout, network, nodeName, type Layout } from "./cluster/layout";
import { buildPrograms, type Programs } from "./cluster/programs";
import { componentStatuses, killSupervisor, startSupervisor, supervisorLog, supervisorPid } from "./cluster/supervisor";
import { buildAppImage } from "./images/app";
import { importImage } from "./images/containerd";
import { buildPauseImage, pauseReference } from "./images/pause";
import { cacheDir, repositoryDir, stageId } from "./paths";
import { postgresAccount, postgresAdminUrl, postgresAnswers, postgresPort, preparePostgres } from "./services/postgres";
import { prepareRedis, redisAccount, redisAnswers, redisPort } from "./services/redis";
import { withLock } from "./system/lock";
import { installPackages, missingPackages } from "./system/packages";
import { run, tail } from "./system/run";
import { waitFor } from "./system/wait";
import { runTasks, type Task } from "./tasks";

/** A running stage: Kubernetes, PostgreSQL and Redis of this machine, reachable from nowhere else. */
export interface Stage {
  /** Path of a kubeconfig that works from outside the stage's namespaces. */
  kubeconfig: string;
  /** Name of the context in it. */
  context: string;
  postgres: {
    /** URL of the superuser, for programs on this machine. */
    adminUrl: string;
    /** host:port, for pods. */
    address: string;
  };
  redis: {
    /** For pods. */
    url: string;
  };
  /** Repository of the app's images, without a tag. */
  imageRepository: string;
}

const imageRepository = "bluegreen.local/chatgpt-app";

/** Starts the stage, or keeps the one that runs, and shows each step. */
export async function startStage(): Promise<Stage> {
  let stage: Stage | undefined;
  await runTasks(
    startStageTasks((started) => {
      stage = started;
    }),
  );
  if (stage === undefined) throw new Error("The tasks of the stage ended without a stage.");
  return stage;
}

/**
 * The steps of starting a stage, to be shown among others.
 * @param done gets the stage at the end of the last step
 */
export function startStageTasks(done: (stage: Stage) => void): Task[] {
  return [
    {
      title: "Debian packages",
      run: async (progress) => {
        const missing = missingPackages();
        if (missing.length > 0) await installPackages(missing, progress);
      },
    },
    {
      title: "Kubernetes programs",
      run: async (progress) => {
        await buildPrograms(progress);
      },
    },
    {
      title: "Kubernetes, PostgreSQL and Redis",
      run: async (progress) => {
        done(await locked(async () => start(await buildPrograms(progress), progress), progress));
      },
    },
  ];
}

/** The stage that runs and works; undefined otherwise (checked, not guessed). */
export async function readStage(): Promise<Stage | undefined> {
  const paths = layout();
  return (await whatIsMissing(paths)) === undefined ? describe(paths) : undefined;
}

/** Ends and removes everything the stage started, and nothing else. */
export async function stopStage(): Promise<void> {
  await locked(async () => remove(layout()));
}

/** How a build of the reference app is told to misbehave. */
export type Fault = "none" | "smoke" | "errors" | "slow" | "crash";

/** A build of the reference app under a tag. */
export interface AppImage {
  tag: string;
  release: "v1" | "v2";
  fault: Fault;
}

/** Builds an image of the reference app and loads it, unless the same content is loaded already. Returns its reference. */
export async function loadImage(image: AppImage): Promise<string> {
  return withTemporaryFolder(async (folder) => {
    const bundle = join(folder, "server.js");
    await run(process.execPath, [join(repositoryDir, "app", "build.mjs"), "--release", image.release, "--fault", image.fault, "--outfile", bundle]);
    return loadBundle({ tag: image.tag, bundle });
  });
}

/** Builds an image around any server that is one CommonJS file and loads it. Returns its reference. */
export async function loadBundle(options: { tag: string; bundle: string }): Promise<string> {
  const reference = `${imageRepository}:${options.tag}`;
  const programs = await buildPrograms(() => undefined);
  await withTemporaryFolder(async (folder) => {
    const archive = await buildAppImage({ reference, bundle: options.bundle, folder });
    await importImage(layout(), programs, reference, archive);
  });
  return reference;
}

/** Arguments that run a command inside the stage's network, where Services and pods have their addresses. */
export async function insideNetwork(command: string[]): Promise<string[]> {
  const pid = await supervisorPid(layout());
  if (pid === undefined) throw new Error("The stage does not run. Start it: npm start");
  return ["nsenter", `--target=${String(pid)}`, "--net", "--", ...command];
}

async function locked<T>(work: () => Promise<T>, progress: (text: string) => void = () => undefined): Promise<T> {
  if (process.getuid?.() !== 0) {
    throw new Error("The local stage makes namespaces, mounts and cgroups, and that takes root. Run the command as root, or use a cluster you have: npm start -- --context NAME");
  }
  // Not in the stage folder: the lock has to outlive its removal.
  return withLock(join(cacheDir(), "locks", stageId()), work, () => {
    progress("waiting for another start or stop of this stage");
  });
}

const repairTimeoutMs = 15_000;
const startTimeoutMs = 120_000;

async function start(programs: Programs, progress: (text: string) => void): Promise<Stage> {
  const paths = layout();
  // The supervisor brings a component back that ended: give it the time.
  if ((await supervisorPid(paths)) !== undefined && existsSync(paths.port)) {
    progress("checking the running stage");
    try {
      return await untilComplete(paths, repairTimeoutMs, progress);
    } catch {
      progress("the running stage does not work and is replaced");
    }
  }
  await remove(paths);
  progress("starting");
  try {
    await startAnew(paths, programs);
    const stage = await untilComplete(paths, startTimeoutMs, progress);
    return stage;
  } catch (error) {
    // The logs stay for whoever reads the error; the next start clears them away.
    await killSupervisor(paths);
    throw error;
  }
}

async function startAnew(paths: Layout, programs: Programs): Promise<void> {
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  await Promise.all([paths.logs, paths.config, paths.fixed, paths.kubelet, paths.containerd, paths.etcd].map(async (folder) => mkdir(folder, { mode: 0o700 })));
  await writeCertificates(paths, programs);
  await writeConfiguration(paths, programs);
  await makeCgroup(paths.cgroup);
  await preparePostgres(paths.postgres, await postgresAccount());
  await prepareRedis(paths.redis, await redisAccount());
  const port = await startSupervisor(paths, programs);
  await waitFor(
    async () => (existsSync(paths.containerdSocket) ? true : undefined),
    startTimeoutMs,
    async () => notWorking(paths, "containerd does not start"),
  );
  // Before the first pod: there is nowhere to get the image from.
  await withTemporaryFolder(async (folder) => importImage(paths, programs, pauseReference, await buildPauseImage(programs, folder)));
  await writeKubeconfig({ file: paths.kubeconfig, pki: paths.pki, client: adminClient, port });
  await writeFile(`${paths.port}.new`, String(port));
  await rename(`${paths.port}.new`, paths.port);
}

async function remove(paths: Layout): Promise<void> {
  await killSupervisor(paths);
  await removeCgroup(paths.cgroup);
  await rm(paths.root, { recursive: true, force: true });
}

function describe(paths: Layout): Stage {
  return {
    kubeconfig: paths.kubeconfig,
    context: contextName,
    postgres: { adminUrl: postgresAdminUrl(paths.postgres), address: `${network.node}:${String(postgresPort)}` },
    redis: { url: `redis://${network.node}:${String(redisPort)}` },
    imageRepository,
  };
}

async function untilComplete(paths: Layout, timeoutMs: number, progress: (text: string) => void): Promise<Stage> {
  let missing: string | undefined;
  return waitFor(
    async () => {
      missing = await whatIsMissing(paths);
      if (missing === undefined) return describe(paths);
      progress(missing);
      await failOnCrashLoop(paths);
      return undefined;
    },
    timeoutMs,
    async () => notWorking(paths, `not complete after ${String(timeoutMs / 1000)} s: ${missing ?? "nothing"}`),
  );
}

/** The first thing the stage lacks, in words; undefined when it is complete. */
async function whatIsMissing(paths: Layout): Promise<string | undefined> {
  if ((await supervisorPid(paths)) === undefined) return "the supervisor does not run";
  if (!existsSync(paths.port)) return "the start was cut off";
  const port = Number(await readFile(paths.port, "utf8"));
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
  const down = [...(await componentStatuses(paths))].find(([, { pid }]) => pid === 0);
  return down === undefined ? undefined : `${down[0]} does not run`;
}

function nodeIsReady(answer: ApiAnswer): boolean {
  if (!answer.ok) return false;
  const { status } = answer.body as { status?: { conditions?: { type: string; status: string }[] } }; // v1.Node
  return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;
}

/** A component that ended this often does not come up by itself. */
const crashLoopStarts = 4;

async function failOnCrashLoop(paths: Layout): Promise<void> {
  if ((await supervisorPid(paths)) === undefined) throw await notWorking(paths, "the supervisor ended");
  const crashing = [...(await componentStatuses(paths))].find(([, { starts, pid }]) => starts >= crashLoopStarts && pid === 0);
  if (crashing !== undefined) throw await notWorking(paths, `${crashing[0]} ends again and again`);
}

/** An error with the end of the log of each component that ended, or of the supervisor when it is gone. */
async function notWorking(paths: Layout, reason: string): Promise<Error> {
  const statuses = [...(await componentStatuses(paths))];
  const ended = (await supervisorPid(paths)) === undefined ? [] : statuses.filter(([, { lastExit }]) => lastExit !== "");
  const parts = await Promise.all([
    ...ended.map(async ([name, { lastExit, starts }]) => `${name}: ${lastExit}, started ${String(starts)} times. ${await endOf(logFile(paths, name))}`),
    ...(ended.length === 0 ? [endOf(supervisorLog(paths))] : []),
  ]);
  return new Error(`The local stage does not work: ${reason}.\n${parts.join("\n")}\nAll logs: ${paths.logs}. Try again from nothing: npm run stop && npm start`);
}

async function endOf(log: string): Promise<string> {
  return existsSync(log) ? `The end of ${log}:\n${tail(await readFile(log, "utf8"))}` : `There is no log ${log}.`;
}

async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "bluegreen-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
