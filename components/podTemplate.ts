import { createHash } from "node:crypto";
import {
  colorLabels,
  selectorOf,
  versionLabel,
  containerAnnotation,
  names,
  templateAnnotation,
} from "@bluegreen/release/app/names";
import type { Color } from "@bluegreen/release";
import { repositoryOf } from "@bluegreen/release/config/forms";
import { applyTemplate } from "@bluegreen/release/config/podTemplate/strategicMerge";
import type { BackgroundPods, CronJobPods, WorkerPods } from "@bluegreen/release/config/podSettings";
import { isFields, type Fields } from "@bluegreen/release/util/json";
import { containersOf } from "@bluegreen/release/config/podTemplate/userTemplate";
import type { PlainRecord } from "@bluegreen/release/util/step";
import type { AppSettings } from "./lateArgs";
import { colorConfig, type ColorConfig } from "./colorConfig";
import { appVariables, envOf } from "./podEnvironment";
import { podDefaults, type PodArgs } from "./podDefaults";
import { backgroundTemplate, type BackgroundTemplate } from "./backgroundTemplate";

export interface ColorTemplate {
  /** By which its pods are found. */
  selector: { app: string; version: Color };
  /** Of the color's Deployment; its pods may have more. */
  labels: Record<string, string>;
  image: string;
  /** What the pods take the settings' variables from. */
  config: ColorConfig;
  /** Changes whenever anything in the pods would, variables included: their objects are named by content. */
  hash: string;
  spec: PlainRecord;
  /** The app's of its containers. */
  container: PlainRecord;
  metadata: PodMetadata;
  workers: BackgroundOf<WorkerPods>[];
  cronJobs: BackgroundOf<CronJobPods>[];
}

/** Pods beside those that answer requests, and what of config they are of. */
interface BackgroundOf<Kind> {
  of: Omit<Kind, keyof BackgroundPods> & Pick<BackgroundPods, "name">;
  selector: Record<string, string>;
  spec: PlainRecord;
  metadata: PodMetadata;
}

interface PodMetadata {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/**
 * The pods of a color, from settings and the name of the stack alone: plain data, so that a preview can
 * compare it with what is live. What the user's template says wins over the defaults, and what belongs to the
 * release is no default.
 */
export function colorTemplate(app: string, color: Color, tag: string, all: AppSettings): ColorTemplate {
  const settings: PodArgs = { ...all, ...all.pods[color] };
  const selector = selectorOf(app, color);
  const labels = { ...colorLabels(app, color), ...versionLabel(tag) };
  const image = `${settings.imageRepository}:${tag}`;
  const config = colorConfig(app, color, settings);
  const given = settings.podTemplate;
  const merged = applyTemplate({ spec: podDefaults(selector, settings) }, { spec: { ...given.patch.spec } })[
    "spec"
  ];
  const spec = finished(isFields(merged) ? merged : {}, { app, color, tag, image, config, settings });
  const podLabels = { ...labels, ...given.labels, ...selector };
  const colorPods = {
    app,
    color,
    spec,
    labels: podLabels,
    container: settings.container,
    withImage: (each: Fields) => withImage(each, settings, image),
  };
  const workers = settings.workers.map((of) => ({ of, ...backgroundTemplate(colorPods, of) }));
  const ofJobs = { ...colorPods, spec: { ...spec, restartPolicy: "OnFailure" } };
  const cronJobs = settings.cronJobs.map((of) => ({ of, ...backgroundTemplate(ofJobs, of) }));
  // How many there are is no part of what runs.
  const ofWorkers = workers.map(({ of: { name, runOn }, ...pods }) => ({ name, runOn, ...pods }));
  const ofCronJobs = cronJobs.map(({ of: { name, schedule, timeZone, concurrencyPolicy }, ...pods }) => ({
    name,
    schedule,
    timeZone,
    concurrencyPolicy,
    ...pods,
  }));
  const hash = createHash("sha256")
    .update(
      JSON.stringify(
        {
          labels: podLabels,
          annotations: given.annotations,
          spec,
          ...(workers.length > 0 && { workers: ofWorkers }),
          ...(cronJobs.length > 0 && { cronJobs: ofCronJobs }),
        },
        inOrder,
      ),
    )
    .digest("hex")
    .slice(0, 12);
  const annotated = (annotations: Record<string, string>) => ({
    ...annotations,
    [templateAnnotation]: hash,
    [containerAnnotation]: settings.container,
  });
  const finishedAs = <Of>({ labels: own, annotations, ...pods }: BackgroundTemplate & { of: Of }) => ({
    ...pods,
    metadata: { labels: own, annotations: annotated(annotations) },
  });
  return {
    selector,
    labels,
    image,
    config,
    hash,
    spec: spec as PlainRecord,
    container: appContainer(spec, settings) as PlainRecord,
    metadata: {
      labels: podLabels,
      annotations: annotated(given.annotations),
    },
    workers: workers.map(finishedAs),
    cronJobs: cronJobs.map(finishedAs),
  };
}

/** Names of fields in one order: that in which somebody writes them changes no pod. */
function inOrder(_name: string, value: unknown): unknown {
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

interface Release {
  app: string;
  color: Color;
  tag: string;
  image: string;
  config: ColorConfig;
  settings: PodArgs;
}

/** With what no template decides: the image, the port that Services route to, and the variables of config. */
function finished(spec: Fields, release: Release): Fields {
  const { app, color, image, settings } = release;
  const { container, imagePullSecrets } = settings;
  const asReleased = (each: Fields) => withImage(each, settings, image);
  const initContainers = containersOf(spec, "initContainers").map(asReleased);
  const containers = containersOf(spec).map(asReleased);
  const hasPort = [...containers, ...initContainers].some((each) => portsOf(each).some(isHttp));
  const done = containers.map((each) => {
    if (each["name"] !== container) return each;
    return withVariables(hasPort ? each : withPort(each, settings.http.port), release);
  });
  // The accounts that the program makes have them already, and pods of those need no other template for it.
  const pull =
    spec["serviceAccountName"] === names.account(app, color) || imagePullSecrets.length === 0
      ? {}
      : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) };
  const { spec: whole } = applyTemplate({ spec: pull }, { spec });
  return {
    ...(isFields(whole) ? whole : {}),
    ...(initContainers.length > 0 && { initContainers }),
    containers: done,
  };
}

/** The app's container, and others of its image, run what is released. */
function withImage(each: Fields, { container, imageRepository }: PodArgs, image: string): Fields {
  const isOurs = typeof each["image"] === "string" && repositoryOf(each["image"]) === imageRepository;
  return each["name"] === container || isOurs ? { ...each, image } : each;
}

function portsOf({ ports }: Fields): Fields[] {
  return Array.isArray(ports) ? ports.filter(isFields) : [];
}

function isHttp({ name }: Fields): boolean {
  return name === "http";
}

/** Services, and the gates, find the app's port by its name: that of both colors may not be the same. */
function withPort(container: Fields, port: number): Fields {
  const ports = portsOf(container);
  const own = ports.find(
    ({ containerPort, protocol }) => containerPort === port && (protocol ?? "TCP") === "TCP",
  );
  const http = { ...own, name: "http", containerPort: port, protocol: "TCP" };
  const named = {
    ...container,
    ports: own === undefined ? [http, ...ports] : ports.map((each) => (each === own ? http : each)),
  };
  const before = own?.["name"];
  return typeof before === "string" ? renamed(named, before) : named;
}

/** What asks a port by its old name asks it by the new one: probes, and what is run at start and end. */
function renamed(container: Fields, before: string): Fields {
  const asking = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    if (!isFields(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [
        key,
        key === "port" && each === before ? "http" : rename(each),
      ]),
    );
  };
  return Object.fromEntries(
    Object.entries(container).map(([key, each]) => [key, asking.includes(key) ? rename(each) : each]),
  );
}

function withVariables(container: Fields, { app, color, tag, config, settings }: Release): Fields {
  const given: unknown[] = Array.isArray(container["envFrom"]) ? container["envFrom"] : [];
  const { configMap, secret } = config;
  return {
    ...container,
    // Whole objects: a reviewer sees one name change, and what is in it once, where the object is made.
    envFrom: [
      ...given,
      ...(configMap === undefined ? [] : [{ configMapRef: { name: configMap.name } }]),
      ...(secret === undefined ? [] : [{ secretRef: { name: secret.name } }]),
    ],
    env: envOf(
      container,
      appVariables({ app, color, tag, settings, hasOwnObjects: given.length > 0 }),
      settings.colors[color],
    ),
  };
}

function appContainer(spec: Fields, { container }: PodArgs): Fields {
  return containersOf(spec).find(({ name }) => name === container) ?? {};
}
