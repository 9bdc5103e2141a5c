import type { V2HorizontalPodAutoscaler } from "@bluegreen/release/kubernetes/client";
import { isRepository, tagPattern } from "@bluegreen/release/config/forms";
import { adoptPods, nameFor, type AdoptedPods, type Chooser } from "./adoptedPods";
import { adoptWay } from "./adoptedWay";
import { sortManifests, titleOf, type Manifest, type Running } from "./manifests";
import { notesOf, type Notes, type Tell } from "./notes";

/** Settings and pod template that release what a team runs today. */
export interface Adoption extends Notes {
  /** The app's name. */
  app: string;
  /** Of the stack, by names of settings. */
  config: Record<string, unknown>;
  /** What podTemplateFile takes. */
  podTemplate: Record<string, unknown>;
}

export interface AdoptOptions {
  /** Name of the Deployment, where there are several. */
  deployment?: string;
  /** Name of the app. @default the Deployment's, or one that nothing chooses pods by */
  app?: string;
  /** Of the image, where the manifest has none that stays the same. */
  tag?: string;
}

/**
 * What becomes of a Deployment and what is around it. Reads nothing but its arguments.
 * @throws UserError when there is not one Deployment among them
 */
export function adopt(manifests: readonly Manifest[], options: AdoptOptions = {}): Adoption {
  const running = sortManifests(manifests, options.deployment);
  const { deployment, services, others } = running;
  const notes: Notes = { carried: [], made: [], changed: [], left: [], refused: [] };
  const tellOf = (title: string) => notesOf(notes, title);
  const title = `Deployment ${deployment.metadata?.name ?? "?"}`;
  const tell = tellOf(title);
  const choosers = choosersOf(running);
  const app = options.app ?? nameFor(deployment.metadata?.name ?? "app", choosers);
  if (app !== deployment.metadata?.name && options.app === undefined)
    tell.made("metadata.name", `the app is ${app}: by its old name its pods would be chosen today`);
  const pods = adoptPods(app, deployment, { services, choosers }, tell);
  tell.carried("spec.template", "podTemplate.yaml");
  for (const other of others)
    tellOf(titleOf(other)).left("all of it", "it stays as it is; pods name what they need of it");
  return {
    app,
    config: {
      activeColor: "blue",
      ...imageOf(pods, options.tag, tell),
      // Where ConfigMaps, Secrets and accounts are that the pods name.
      ...(deployment.metadata?.namespace !== undefined && { namespace: deployment.metadata.namespace }),
      createNamespaces: false,
      container: pods.container,
      http: { port: pods.port },
      ...openPorts(pods),
      ...sizeOf(running, tell, tellOf),
      ...timesOf(running, tell),
      ...adoptWay(running, tellOf),
    },
    podTemplate: pods.podTemplate,
    ...notes,
  };
}

/** Everything that chooses pods by labels. */
function choosersOf({ deployment, services, budgets }: Running): Chooser[] {
  return [
    { title: titleOf(deployment), selector: deployment.spec?.selector.matchLabels },
    ...services.map((each) => ({ title: titleOf(each), selector: each.spec?.selector })),
    ...budgets.map((each) => ({ title: titleOf(each), selector: each.spec?.selector?.matchLabels })),
  ].flatMap(({ title, selector }) => (selector === undefined ? [] : [{ title, selector }]));
}

/** Repository and tag of blue. */
function imageOf({ image }: AdoptedPods, given: string | undefined, tell: Tell): Record<string, string> {
  const [named = "", digest] = image.split("@");
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const repository = hasTag ? named.slice(0, colon) : named;
  if (!isRepository(repository)) tell.refused("image", `${image}: not the name of an image`);
  const said = hasTag ? named.slice(colon + 1) : "";
  const tag = given ?? (digest === undefined ? said : `${said === "" ? "adopted" : said}@${digest}`);
  if (tagPattern.test(tag)) {
    if (given === undefined) tell.carried("image", "imageRepository, blueTag");
    return { imageRepository: repository, blueTag: tag };
  }
  tell.changed("image", `${image}: a tag that names the same image tomorrow is needed: --tag`);
  return { imageRepository: repository };
}

/** NetworkPolicies close all other ports. */
function openPorts({ podTemplate, port }: AdoptedPods): Record<string, unknown> {
  const spec = podTemplate["spec"] as { containers: { ports?: { containerPort: number }[] }[] };
  const ports = spec.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));
  const extraPorts = [...new Set(ports)].filter((each) => each !== port);
  return extraPorts.length === 0 ? {} : { networkPolicy: { extraPorts } };
}

function sizeOf(
  { deployment, autoscalers }: Running,
  tell: Tell,
  tellOf: (title: string) => Tell,
): Record<string, unknown> {
  const replicas = deployment.spec?.replicas ?? 1;
  if (deployment.spec?.replicas !== undefined) tell.carried("spec.replicas", "replicas");
  if (replicas === 0) tell.changed("spec.replicas 0", "replicas 1: an active color has pods");
  const scaled = autoscalers.flatMap((each) => autoscalingOf(each, tellOf(titleOf(each))));
  return { replicas: Math.max(1, replicas), ...scaled[0] };
}

/** By CPU alone; of all others the team's own HPA stays the way. */
function autoscalingOf({ spec }: V2HorizontalPodAutoscaler, tell: Tell): Record<string, unknown>[] {
  const { minReplicas = 1, maxReplicas, metrics = [] } = spec;
  const [metric] = metrics;
  // As autoscaling/v1 has it.
  const old = (spec as { targetCPUUtilizationPercentage?: number } | undefined)
    ?.targetCPUUtilizationPercentage;
  const cpuPercent = metric?.resource?.name === "cpu" ? metric.resource.target.averageUtilization : old;
  if (metrics.length > 1 || cpuPercent === undefined) {
    tell.left("spec.metrics", "make an HPA of your own for each color: APP-blue and APP-green");
    return [];
  }
  tell.carried("spec", "autoscaling");
  return [{ autoscaling: { minReplicas, maxReplicas, cpuPercent } }];
}

/** A color may take as long as the Deployment might. */
function timesOf({ deployment: { spec } }: Running, tell: Tell): Record<string, unknown> {
  const { minReadySeconds = 0, progressDeadlineSeconds, strategy, revisionHistoryLimit } = spec ?? {};
  const grace = spec?.template.spec?.terminationGracePeriodSeconds ?? usualGraceSeconds;
  const preStopDelaySeconds = Math.max(0, grace - 1);
  if (preStopDelaySeconds < usualDelaySeconds)
    tell.made(
      `terminationGracePeriodSeconds ${grace}`,
      `preStopDelaySeconds ${preStopDelaySeconds}: a stopping pod serves until no Service sends to it`,
    );
  const hasClaim = spec?.template.spec?.volumes?.some(
    ({ persistentVolumeClaim: claim }) => claim !== undefined && claim.readOnly !== true,
  );
  if (strategy?.type === "Recreate" && hasClaim === true)
    tell.refused(
      "spec.strategy Recreate",
      "with a volume: one version at a time may have it, and two colors run at once",
    );
  else if (strategy?.type === "Recreate")
    tell.changed("spec.strategy Recreate", "two versions run side by side: a release has both colors");
  else if (strategy !== undefined)
    tell.left("spec.strategy", "traffic moves between colors; pods of one are replaced one by one");
  if (revisionHistoryLimit !== undefined)
    tell.left("spec.revisionHistoryLimit", "the other color is what a rollback returns to");
  if (minReadySeconds > 0) tell.carried("spec.minReadySeconds", "minReadySeconds");
  return {
    ...(minReadySeconds > 0 && { minReadySeconds }),
    ...(preStopDelaySeconds < usualDelaySeconds && { preStopDelaySeconds }),
    ...(progressDeadlineSeconds !== undefined && { progressDeadlineSeconds }),
    // What it was not made for it does not get: a database, and orders to drain.
    database: { strategy: "none" },
    connectionDrain: { timeoutSeconds: 0, port: 0 },
  };
}

/** As Kubernetes has it. */
const usualGraceSeconds = 30;
/** As preStopDelaySeconds has it. */
const usualDelaySeconds = 5;
