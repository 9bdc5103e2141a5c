import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, namespacesOf, orUndefined, type Cluster } from "@bluegreen/release";
import { Stack } from "../../cli/pulumi/stack";
import { repositoryDir } from "../paths";
import type { AppBuild } from "../images/app";
import { installPulumi } from "../pulumi/installation";
import { loadImages, readStage, type Stage } from "../stage";
import { countUpdates } from "./updates";

/**
 * The whole program as a stack of its own on the running stage: its own namespace, database account and
 * state.
 */
export interface TestStack {
  stack: Stack;
  name: string;
  stage: Stage;
  cluster: Cluster;
  /** What a shell would have exported: kubeconfig, backend, passphrase. */
  env: Record<string, string>;
  /** Folder of the program. */
  workDir: string;
  /** Folder of the engine's state. */
  backend: string;
  /** Values that must never be readable anywhere but in Secrets. */
  secrets: { openaiApiKey: string; token: string; passphrase: string };
  set(values: Record<string, unknown>): Promise<void>;
  remove(): Promise<void>;
}

/** Small and quick pods; everything else as in production. */
export const smallAndQuick = {
  replicas: 2,
  host: "app.example.com",
  resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
  livenessProbe: { initialDelaySeconds: 2, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 },
  readinessProbe: { initialDelaySeconds: 0, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 2 },
  minReadySeconds: 1,
  preStopDelaySeconds: 1,
  env: { DRAIN_SECONDS: "1", SHUTDOWN_GRACE_SECONDS: "7", OPENAI_BASE_URL: "http://127.0.0.1:9" },
  terminationGracePeriodSeconds: 10,
  progressDeadlineSeconds: 90,
  // Long enough for an observation or two; what the analysis finds has tests of its own.
  analysis: { durationSeconds: 4, intervalSeconds: 1 },
  smokeTimeoutSeconds: 60,
  // What a test makes may go again; that it may not otherwise has a test of its own.
  deletionProtection: false,
};

/** What most tests release: both are well. */
export const twoVersions: AppBuild[] = [
  { tag: "v1", release: "v1", fault: "none" },
  { tag: "v2", release: "v2", fault: "none" },
];

/** And two that the gates have to stop. */
export const wellAndRefused: AppBuild[] = [
  ...twoVersions,
  { tag: "v2-smoke", release: "v2", fault: "smoke" },
  { tag: "v2-crash", release: "v2", fault: "crash" },
];

/** Where it differs from what a test usually takes. */
export interface Whereabouts {
  /** @default one with a name of its own */
  namespace?: string;
  /** How the colors are kept apart. @default in one namespace */
  namespacePerColor?: boolean;
  /** What the engine and the steps reach the cluster by. @default the stage's */
  kubeconfig?: string;
  /** Folder of the program. @default this repository */
  workDir?: string;
}

/** The secret variables of both colors, as config takes them. */
export function secretEnvOf({ token, openaiApiKey }: Pick<TestStack["secrets"], "token" | "openaiApiKey">) {
  return { value: { TOKEN: token, OPENAI_API_KEY: openaiApiKey }, secret: true };
}

/** @throws Error when no stage runs: a suite that needs one fails, it is never skipped */
export async function makeStack(images: AppBuild[], whereabouts: Whereabouts = {}): Promise<TestStack> {
  const stage = await readStage();
  if (stage === undefined)
    throw new Error("the local stage is not running: npm start, or npm test, which starts it");
  await loadImages(images);

  const id = randomBytes(3).toString("hex");
  const name = `test-${id}`;
  const {
    namespace = `bg-e2e-${id}`,
    namespacePerColor = false,
    kubeconfig = stage.kubeconfig,
    workDir = repositoryDir,
  } = whereabouts;
  const backend = await mkdtemp(join(tmpdir(), "bg-state-"));
  const random = () => randomBytes(16).toString("hex");
  const secrets = { openaiApiKey: `sk-${random()}`, token: random(), passphrase: random() };
  const env = {
    KUBECONFIG: kubeconfig,
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: secrets.passphrase,
  };
  // The tests' own reads of the cluster go the same way.
  process.env["KUBECONFIG"] = stage.kubeconfig;

  // A file that is run by mocha alone has it on PATH only so.
  await installPulumi(() => undefined);
  const stack = await Stack.create({ name, workDir, env });
  const set = (values: Record<string, unknown>) =>
    stack.setConfig(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }])));
  await set({
    ...smallAndQuick,
    namespace,
    context: stage.context,
    ...(namespacePerColor && { namespacePerColor }),
    imageRepository: stage.imageRepository,
    env: { ...smallAndQuick.env, REDIS_URL: stage.redis.url },
    databaseAddress: stage.postgres.address,
  });
  await stack.setConfig({
    databaseAdminUrl: { value: stage.postgres.adminUrl, secret: true },
    secretEnv: secretEnvOf(secrets),
  });
  const cluster = connect({ context: stage.context, namespace, namespacePerColor });
  return {
    stack,
    name,
    stage,
    cluster,
    env,
    workDir,
    backend,
    secrets,
    set,
    remove: async () => {
      // Whatever state a test has left, and quicker than a destroy, which has a test of its own.
      await Promise.all(
        namespacesOf(cluster).map((each) => orUndefined(cluster.core.deleteNamespace({ name: each }))),
      );
      await rm(join(workDir, `Pulumi.${name}.yaml`), { force: true });
      await countUpdates(backend);
      await rm(backend, { recursive: true, force: true });
    },
  };
}
