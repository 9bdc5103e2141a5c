import { colors, type Color } from "../app/color.js";
import { podOf, type Amounts, type PodNeeds, type Resources } from "./amounts.js";
import { containersOf, portIn, readUserTemplate, type UserTemplate } from "./podTemplate/userTemplate.js";
import { isFields, type Fields } from "../util/json.js";
import type { FlatSettings } from "./schema.js";
import { composeTemplates } from "./podTemplate/strategicMerge.js";
import {
  hasColorFile,
  cronJobsOf,
  workersOf,
  type Background,
  type CronJob,
  type Worker,
} from "./background.js";

/** What is known of pods once the user's template is read. */
export interface PodSettings {
  podTemplate: UserTemplate;
  /** Name of the app's container. */
  container: string;
  http: FlatSettings["http"] & { port: number };
  /** Of the app's container. */
  resources: Resources;
  /** What a pod needs, all its containers together. */
  pod: Amounts;
  terminationGracePeriodSeconds: number;
  workers: WorkerPods[];
  cronJobs: CronJobPods[];
  /** Whether they have a file with the live color in it. */
  activeColorFile: boolean;
}

/** Pods of a color that answer no requests, and what is known of them once their template is read. */
export interface BackgroundPods {
  name: string;
  /** Over the pods of the color. */
  patch: Fields;
  /** Those of the color and their own. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** What one of them needs. */
  pod: Amounts;
}

export type WorkerPods = Omit<Worker, keyof Background> & BackgroundPods;
export type CronJobPods = Omit<CronJob, keyof Background> & BackgroundPods;

const defaultPort = 3000;

/** What pods are made of. */
export const podKeys = [
  "imageRepository",
  "podTemplate",
  "podTemplateFile",
  "container",
  "http",
  "resources",
  "terminationGracePeriodSeconds",
  "quota",
  "workers",
  "cronJobs",
  "activeColorFile",
  ...colors,
] as const satisfies readonly (keyof FlatSettings)[];
export type PodConfig = Pick<FlatSettings, (typeof podKeys)[number]>;

/**
 * Of each color, whose template may be another one: a change of it comes with a release, on the idle color.
 * @throws UserError when one says what is the release's to say
 */
export function podsOfColors(app: string, flat: PodConfig): Record<Color, PodSettings> {
  return { blue: podSettings(app, "blue", flat), green: podSettings(app, "green", flat) };
}

/**
 * Settings of pods, of which the template has the last word.
 * @throws UserError when it says what is the release's to say
 */
function podSettings(app: string, color: Color, flat: PodConfig): PodSettings {
  const { podTemplate: own, podTemplateFile = flat.podTemplateFile } = flat[color];
  const podTemplate = readUserTemplate(app, {
    ...flat,
    podTemplates: [flat.podTemplate, own],
    podTemplateFile,
  });
  const { spec, container } = podTemplate;
  const named = appContainer(podTemplate);
  const resources = appResources(podTemplate, flat);
  const grace = spec["terminationGracePeriodSeconds"];
  const inBackground = (each: Background) => backgroundPods(app, each, { ...flat, podTemplate, container });
  return {
    podTemplate,
    container,
    http: {
      port: flat.http.port ?? portIn(podTemplate) ?? defaultPort,
      livenessPath: pathOf(named["livenessProbe"]) ?? flat.http.livenessPath,
      readinessPath: pathOf(named["readinessProbe"]) ?? flat.http.readinessPath,
    },
    resources,
    pod: podOf(needsOf(podTemplate, resources, flat.quota.enabled)),
    terminationGracePeriodSeconds: typeof grace === "number" ? grace : flat.terminationGracePeriodSeconds,
    workers: workersOf(flat, color).map(({ runOn, replicas, overlap, ...worker }) => ({
      runOn,
      replicas,
      overlap,
      ...inBackground(worker),
    })),
    cronJobs: cronJobsOf(flat, color).map(({ schedule, timeZone, concurrencyPolicy, ...cronJob }) => ({
      schedule,
      timeZone,
      concurrencyPolicy,
      ...inBackground(cronJob),
    })),
    activeColorFile: hasColorFile(flat, color),
  };
}

function backgroundPods(
  app: string,
  { name, command, args, podTemplate: own }: Background,
  flat: Omit<PodConfig, "podTemplate" | "container"> & { podTemplate: UserTemplate; container: string },
): BackgroundPods {
  const { container, podTemplate: ofColor, imageRepository } = flat;
  const words = {
    name: container,
    ...(command.length > 0 && { command }),
    ...(args.length > 0 && { args }),
  };
  const patch = composeTemplates({ spec: { containers: [words] } }, { ...own });
  const whole = readUserTemplate(app, {
    podTemplates: [ofColor.patch, patch],
    podTemplateFile: undefined,
    container,
    imageRepository,
  });
  return {
    name,
    patch,
    labels: whole.labels,
    annotations: whole.annotations,
    pod: podOf(needsOf(whole, appResources(whole, flat), flat.quota.enabled)),
  };
}

function appContainer({ spec, container }: UserTemplate): Fields {
  return containersOf(spec).find(({ name }) => name === container) ?? {};
}

function appResources(template: UserTemplate, { resources }: Pick<PodConfig, "resources">): Resources {
  const named = appContainer(template);
  return "resources" in named ? resourcesOf(named) : resources;
}

/** With a LimitRange, which the program makes beside a quota, a container that says nothing has what the app's has. */
function needsOf({ spec, container }: UserTemplate, resources: Resources, hasRange: boolean): PodNeeds {
  const needs = (each: Fields): Resources => {
    if (each["name"] === container) return resources;
    const { requests, limits } = resourcesOf(each);
    if (!hasRange) return { requests, limits };
    return {
      requests: { ...resources.requests, ...limits, ...requests },
      limits: { ...resources.limits, ...limits },
    };
  };
  const given = containersOf(spec);
  return {
    containers: [...(given.some(({ name }) => name === container) ? [] : [resources]), ...given.map(needs)],
    initContainers: containersOf(spec, "initContainers").map((each) => ({
      ...needs(each),
      isSidecar: each["restartPolicy"] === "Always",
    })),
  };
}

function resourcesOf({ resources }: Fields): Resources {
  const { requests, limits } = isFields(resources) ? resources : {};
  return { requests: { ...(isFields(requests) && requests) }, limits: { ...(isFields(limits) && limits) } };
}

function pathOf(probe: unknown): string | undefined {
  const request = isFields(probe) ? probe["httpGet"] : undefined;
  return isFields(request) && typeof request["path"] === "string" ? request["path"] : undefined;
}
