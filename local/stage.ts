import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminClient, writeCertificates } from "./cluster/certificates";
import { makeCgroup, removeCgroup } from "./cluster/cgroups";
import { writeConfiguration } from "./cluster/configuration";
import { untilComplete, untilContainerd, whatIsMissing } from "./cluster/health";
import { writeKubeconfig } from "./cluster/kubeconfig";
import { contextName, layout, network, type Layout } from "./cluster/layout";
import { buildEdge, buildMetrics, buildPrograms, type Programs } from "./programs/programs";
import { killSupervisor, startSupervisor, supervisorPid, writePorts } from "./cluster/supervisor";
import { addEdge, describeEdge, hasEdge, type Edge } from "./edge/edge";
import { applyTlsSecret } from "./edge/objects";
import {
  bundleApp,
  bundleController,
  imageRepository,
  serverImage,
  controllerImage,
  type AppBuild,
  type Server,
} from "./images/app";
import { importArchive, importImages } from "./images/containerd";
import { pauseImage } from "./images/pause";
import { addMetrics, hasMetrics } from "./metrics/metricsServer";
import { cacheDir, stageId } from "./paths";
import { pulumiTask } from "./pulumi/installation";
import { postgresAccount, postgresAdminUrl, postgresPort, preparePostgres } from "./services/postgres";
import { prepareRedis, redisAccount, redisPort, redisSocket } from "./services/redis";
import { killDashboard } from "./start/dashboard";
import { withLock } from "./system/lock";
import { installPackages, missingPackages } from "./system/packages";
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
    /** Path of its Unix socket, for programs on this machine. */
    socket: string;
  };
  /** Repository of the app's images, without a tag. */
  imageRepository: string;
  /** The ingress; missing on a stage that nobody has asked for one. */
  edge?: Edge;
}

/**
 * What a stage has beside the rest, for those who ask for it. A stage that runs already gets it without a
 * restart.
 */
export interface StageOptions {
  /** A real edge: Traefik, built at first use, which takes minutes. @default false */
  edge?: boolean;
  /**
   * metrics-server, which autoscalers and `kubectl top` ask, built at first use, which takes minutes.
   * @default false
   */
  metrics?: boolean;
}

/** What is added to a stage, in this order. */
interface Addition {
  title: string;
  build: (progress: (text: string) => void) => Promise<string>;
  isThere: (paths: Layout) => Promise<boolean>;
  add: (paths: Layout, programs: Programs, program: string) => Promise<void>;
}

const additions: Record<keyof StageOptions, Addition> = {
  edge: { title: "Traefik", build: buildEdge, isThere: hasEdge, add: addEdge },
  metrics: {
    title: "metrics-server",
    build: buildMetrics,
    isThere: hasMetrics,
    add: async (paths, _programs, program) => addMetrics(paths, program),
  },
};

/**
 * Starts the stage, or keeps the one that runs.
 * @param run how its steps are run. @default each is shown
 */
export async function startStage(
  options: StageOptions = {},
  run: (tasks: Task[]) => Promise<void> = runTasks,
): Promise<Stage> {
  let stage: Stage | undefined;
  await run(
    startStageTasks((started) => {
      stage = started;
    }, options),
  );
  if (stage === undefined) throw new Error("The tasks of the stage ended without a stage.");
  return stage;
}

/**
 * The steps of starting a stage, to be shown among others.
 * @param done gets the stage at the end of the last step
 */
export function startStageTasks(
  done: (stage: Stage) => void,
  { edge = false, metrics = false }: StageOptions = {},
): Task[] {
  const added = [...(edge ? [additions.edge] : []), ...(metrics ? [additions.metrics] : [])];
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
    pulumiTask,
    ...added.map(({ title, build }) => ({
      title,
      run: async (progress: (text: string) => void) => {
        await build(progress);
      },
    })),
    {
      title: ["Kubernetes", "PostgreSQL", ...added.map(({ title }) => title)].join(", ") + " and Redis",
      run: async (progress) => {
        done(await locked(async () => start(added, progress), progress));
      },
    },
  ];
}

/** The stage that runs and works; undefined otherwise (checked, not guessed). */
export async function readStage(): Promise<Stage | undefined> {
  const paths = layout();
  return (await whatIsMissing(paths)) === undefined ? describe(paths) : undefined;
}

/**
 * Makes the TLS Secret that an Ingress of this namespace names, with the edge's certificate:
 * the stage has nobody who issues one.
 */
export async function makeTlsSecret(where: { name: string; namespace: string }): Promise<void> {
  await applyTlsSecret(layout(), where);
}

/** Ends and removes everything the stage started, and nothing else. */
export async function stopStage(): Promise<void> {
  await locked(async () => remove(layout()));
}

/**
 * Builds images of the reference app and loads those whose content is not loaded yet. Returns their
 * references.
 */
export async function loadImages(builds: AppBuild[]): Promise<string[]> {
  return withTemporaryFolder(async (folder) => {
    const bundleOf = ({ tag }: AppBuild): string => join(folder, `${tag}.js`);
    await Promise.all(builds.map((build) => bundleApp(build, bundleOf(build))));
    return loadBundles(
      builds.map((build) => ({ reference: `${imageRepository}:${build.tag}`, bundle: bundleOf(build) })),
    );
  });
}

/** Builds the analysis controller's image and loads it, unless its content is loaded already. Returns its reference. */
export async function loadController(): Promise<string> {
  return withTemporaryFolder(async (folder) => {
    const bundle = join(folder, "controller.js");
    await bundleController(bundle);
    await loadBundles([{ reference: controllerImage, bundle }]);
    return controllerImage;
  });
}

/** Builds an image around each server, and loads them. Returns their references. */
export async function loadBundles(bundles: Server[]): Promise<string[]> {
  const programs = await buildPrograms(() => undefined);
  // One at a time: the cached layer is linked into each archive, and tar refuses a file whose links change
  // under it.
  return withLock(join(cacheDir(), "locks", "images"), () =>
    withTemporaryFolder(async (folder) => {
      const images = [];
      for (const [index, server] of bundles.entries()) {
        const own = join(folder, String(index));
        await mkdir(own);
        images.push(await serverImage({ ...server, folder: own }));
      }
      await importImages(layout(), programs, images, folder);
      return images.map((image) => image.reference);
    }),
  );
}

/** Loads the images of an archive of somebody's. Returns the references of those that were not there. */
export async function loadArchive(file: string): Promise<string[]> {
  return importArchive(layout(), await buildPrograms(() => undefined), file);
}

/** Arguments that run a command inside the stage's network, where Services and pods have their addresses. */
export async function insideNetwork(command: string[]): Promise<string[]> {
  const pid = await supervisorPid(layout());
  if (pid === undefined) throw new Error("The stage does not run. Start it: npm start");
  return ["nsenter", `--target=${String(pid)}`, "--net", "--", ...command];
}

async function locked<T>(
  work: () => Promise<T>,
  progress: (text: string) => void = () => undefined,
): Promise<T> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      "The local stage makes namespaces, mounts and cgroups, and that takes root. Run the command as root, or use a cluster you have: npm start -- --context NAME",
    );
  }
  // Not in the stage folder: the lock has to outlive its removal.
  return withLock(join(cacheDir(), "locks", stageId()), work, () => {
    progress("waiting for another start or stop of this stage");
  });
}

const repairTimeoutMs = 15_000;
const startTimeoutMs = 120_000;

async function start(added: Addition[], progress: (text: string) => void): Promise<Stage> {
  const paths = layout();
  const programs = await buildPrograms(progress);
  await untilStarted(paths, programs, progress);
  for (const { title, build, isThere, add } of added) {
    if (await isThere(paths)) continue;
    progress(`adding ${title}`);
    await add(paths, programs, await build(progress));
    await untilComplete(paths, startTimeoutMs, progress);
  }
  return describe(paths);
}

async function untilStarted(
  paths: Layout,
  programs: Programs,
  progress: (text: string) => void,
): Promise<void> {
  // The supervisor brings a component back that ended: give it the time.
  if ((await supervisorPid(paths)) !== undefined && existsSync(paths.ports)) {
    progress("checking the running stage");
    try {
      await untilComplete(paths, repairTimeoutMs, progress);
      return;
    } catch {
      progress("the running stage does not work and is replaced");
    }
  }
  await remove(paths);
  progress("starting");
  try {
    await startAnew(paths, programs);
    await untilComplete(paths, startTimeoutMs, progress);
  } catch (error) {
    // The logs stay for whoever reads the error; the next start clears them away.
    await killSupervisor(paths);
    throw error;
  }
}

async function startAnew(paths: Layout, programs: Programs): Promise<void> {
  await mkdir(paths.root, { recursive: true, mode: 0o700 });
  await Promise.all(
    [paths.logs, paths.config, paths.fixed, paths.kubelet, paths.containerd, paths.etcd].map(async (folder) =>
      mkdir(folder, { mode: 0o700 }),
    ),
  );
  await writeCertificates(paths, programs);
  await writeConfiguration(paths, programs);
  await makeCgroup(paths.cgroup);
  await preparePostgres(paths.postgres, await postgresAccount());
  await prepareRedis(paths.redis, await redisAccount());
  const ports = await startSupervisor(paths, programs);
  await untilContainerd(paths, startTimeoutMs);
  // Before the first pod: there is nowhere to get the image from.
  await withTemporaryFolder(async (folder) =>
    importImages(paths, programs, [await pauseImage(programs, folder)], folder),
  );
  await writeKubeconfig({ file: paths.kubeconfig, pki: paths.pki, client: adminClient, port: ports.api });
  await writePorts(paths, ports);
}

async function remove(paths: Layout): Promise<void> {
  await killDashboard(paths);
  await killSupervisor(paths);
  await removeCgroup(paths.cgroup);
  // Of a supervisor that someone else killed, the last processes may still be ending.
  await rm(paths.root, { recursive: true, force: true, maxRetries: 10 });
}

async function describe(paths: Layout): Promise<Stage> {
  return {
    kubeconfig: paths.kubeconfig,
    context: contextName,
    postgres: {
      adminUrl: postgresAdminUrl(paths.postgres),
      address: `${network.node}:${String(postgresPort)}`,
    },
    redis: { url: `redis://${network.node}:${String(redisPort)}`, socket: redisSocket(paths.redis) },
    imageRepository,
    ...((await hasEdge(paths)) ? { edge: await describeEdge(paths) } : {}),
  };
}

async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "bluegreen-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
