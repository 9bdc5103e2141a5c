import { imageIn } from "@bluegreen/release/kubernetes/containers";
import {
  colors,
  names,
  orUndefined,
  otherColor,
  readLiveColor,
  type Cluster,
  type Color,
} from "@bluegreen/release";
import { unblockImages } from "@bluegreen/release/state/blockedImages";
import { Stack, type ConfigValue } from "../../cli/pulumi/stack";
import { repositoryDir } from "../paths";
import { madeUpApiKey, prepareHome } from "./home";
import { app, type Target } from "./target";

/** The migration that the old version needs. The new one needs all. */
const oldSchema = "0001";

/** The color that traffic is on when a run begins and when it ends. */
export const homeColor: Color = "blue";

/** Where the app looks for the third party: nothing listens there, so no trial of this machine calls it. */
const nobodyElse = { OPENAI_BASE_URL: "http://127.0.0.1:9" };

/** Small pods that start quickly; everything else is as in production. */
const small = {
  host: "app.localhost",
  // A trial asks nobody for a certificate.
  clusterIssuer: "none",
  resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { cpu: "1", memory: "256Mi" } },
  // Quick to become ready; patient with a machine that is busy with other things as well.
  readinessProbe: { initialDelaySeconds: 0, periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 3 },
  livenessProbe: { initialDelaySeconds: 2, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 6 },
  minReadySeconds: 1,
  preStopDelaySeconds: 2,
  terminationGracePeriodSeconds: 20,
  // Some observations of a real analysis; nobody waits ten minutes for a trial.
  analysis: { durationSeconds: 4, intervalSeconds: 1 },
  // A trial is there to be removed again.
  deletionProtection: false,
  env: {
    DRAIN_SECONDS: "1",
    SHUTDOWN_GRACE_SECONDS: "10",
    CONNECTION_MAX_AGE_SECONDS: "3",
    ...nobodyElse,
  },
};

/** Selects the stack of a target, made and configured when it is new. */
export async function openStack(target: Target): Promise<Stack> {
  await prepareHome(target.home);
  const stack = await Stack.create({ name: target.home.stack, workDir: repositoryDir });
  await stack.setConfig({
    ...plain({
      ...small,
      namespace: target.namespace,
      context: target.context,
      imageRepository: target.imageRepository,
      databaseAddress: target.databaseAddress,
      env: { ...small.env, REDIS_URL: target.redisUrl },
    }),
    databaseAdminUrl: { value: target.databaseAdminUrl, secret: true },
    secretEnv: { value: { OPENAI_API_KEY: await madeUpApiKey(target.home) }, secret: true },
  });
  return stack;
}

/** What a run does next: config, and then an update that makes it true. */
export interface Updates {
  /**
   * The old version live on blue, nothing on green. From any state, by updates that never leave users without
   * a ready color.
   */
  begin(replicas: number): Promise<void>;
  /** Asks for the new version beside the live one. */
  release(): Promise<void>;
  activate(color: Color): Promise<void>;
}

export function updatesOf(stack: Stack, cluster: Cluster, target: Target, up: () => Promise<void>): Updates {
  return {
    begin: async (replicas) => {
      const live = await readLiveColor(cluster, app);
      const running = live === undefined ? undefined : await readDeployment(cluster, live);
      // Somebody has removed the namespace: what the state says is no longer true.
      if (live === undefined && Object.keys(await stack.outputs()).length > 0) await stack.refresh();
      await stack.setConfig(
        plain({
          activeColor: homeColor,
          [tagKey(homeColor)]: target.oldTag,
          schemaVersion: oldSchema,
          replicas,
        }),
      );
      // Pods of an earlier run may differ from what this one wants: they are exchanged one by one, as in any
      // rolling update.
      if (live !== undefined) await stack.setConfig(plain({ allowInPlaceUpdate: true }));
      // A rollback that somebody typed has blocked an image of this run.
      if (live !== undefined) for (const color of colors) await unblockImages(cluster, app, color);
      if (live === otherColor(homeColor) && running !== undefined) {
        // Traffic moves first; never to fewer pods than they have.
        await stack.setConfig(
          plain({ [tagKey(live)]: running.tag, replicas: Math.max(replicas, running.replicas) }),
        );
        await up();
        await stack.setConfig(plain({ replicas }));
      }
      await stack.removeConfig([tagKey(otherColor(homeColor))]);
      await up();
      await stack.removeConfig(["allowInPlaceUpdate"]);
    },
    release: async () => {
      await stack.setConfig(plain({ [tagKey(otherColor(homeColor))]: target.newTag }));
      await stack.removeConfig(["schemaVersion"]);
    },
    activate: async (activeColor) => {
      await stack.setConfig(plain({ activeColor }));
      await up();
    },
  };
}

async function readDeployment(
  cluster: Cluster,
  color: Color,
): Promise<{ tag: string; replicas: number } | undefined> {
  const { apps, namespace } = cluster;
  const found = await orUndefined(
    apps.readNamespacedDeployment({ name: names.deployment(app, color), namespace }),
  );
  const tag = imageIn(found)?.split(":").at(-1);
  return tag === undefined ? undefined : { tag, replicas: found?.spec?.replicas ?? 0 };
}

function tagKey(color: Color): string {
  return `${color}Tag`;
}

function plain(values: Record<string, unknown>): Record<string, ConfigValue> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }]));
}
