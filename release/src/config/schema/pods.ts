import { z } from "zod";
import {
  asWritten,
  field,
  json,
  objectField,
  objectOf,
  part,
  deployment,
  flag,
  integer,
  state,
} from "../fields.js";
import {
  dnsLabel,
  dnsSubdomain,
  httpPath,
  labelKey,
  leadsOut,
  cpuPattern,
  cpuRule,
  memoryPattern,
  memoryRule,
  quantity,
} from "../forms.js";
import { podTemplateRule, podTemplateSchema } from "../podTemplate/podTemplateSchema.js";
import { cronJobs, cronJobsRule, workers, workersRule } from "../background.js";

export const podTemplateFile = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)*\.(ya?ml|json)$/)
  .refine((file) => !leadsOut(file));
export const podTemplateFileRule = "a .yaml, .yml or .json file below the program's folder";

const port = z.int().min(1).max(65_535);

/** How the app answers inside its container. */
const http = objectOf({
  port: part(port.exactOptional(), "1 to 65535; not set, the port of podTemplate, or 3000"),
  livenessPath: part(z.string().max(200).regex(httpPath).default("/health"), "a path, without a query"),
  readinessPath: part(z.string().max(200).regex(httpPath).default("/ready"), "a path, without a query"),
});

/** Whom pods run as. */
const serviceAccount = objectOf(
  {
    name: part(
      z.union([z.literal(""), z.string().regex(dnsSubdomain)]).default(""),
      "the name of a ServiceAccount",
    ),
    annotations: part(
      z.record(z.string().regex(labelKey), z.string()).default({}),
      "keys and texts, without name",
    ),
  },
  [
    ({ name, annotations }) => name === "" || Object.keys(annotations).length === 0,
    "no annotations with name: an account of yours has its own",
  ],
);

const cpu = z.coerce.string().regex(cpuPattern);
const memory = z.string().regex(memoryPattern);
const quantities = `cpu (${cpuRule}) and memory (${memoryRule})`;

/** As in a container: what limits does not name has no limit. */
const resources = objectOf(
  {
    requests: part(
      z.strictObject({ cpu: cpu.default("250m"), memory: memory.default("256Mi") }).prefault({}),
      quantities,
    ),
    limits: part(
      z
        .strictObject({ cpu: cpu.exactOptional(), memory: memory.exactOptional() })
        .default({ cpu: "500m", memory: "512Mi" }),
      quantities,
    ),
  },
  [isWithin("cpu"), "requests.cpu at most limits.cpu"],
  [isWithin("memory"), "requests.memory at most limits.memory"],
);

function isWithin(name: "cpu" | "memory") {
  return ({
    requests,
    limits,
  }: {
    requests: Record<typeof name, string>;
    limits: { [N in typeof name]?: string };
  }) => {
    const limit = limits[name];
    return limit === undefined || quantity(requests[name]) <= quantity(limit);
  };
}

const seconds = z.int().min(0).max(3600);
const positive = z.int().min(1).max(3600);

function probe(
  name: string,
  initialDelaySeconds: number,
  periodSeconds: number,
  timeoutSeconds: number,
  failureThreshold: number,
  description: string,
) {
  const timings = objectOf({
    initialDelaySeconds: part(seconds.default(initialDelaySeconds), "0 to 3600"),
    periodSeconds: part(positive.default(periodSeconds), "1 to 3600"),
    timeoutSeconds: part(positive.default(timeoutSeconds), "1 to 3600"),
    failureThreshold: part(positive.default(failureThreshold), "1 to 3600"),
  });
  return objectField(timings, {
    description,
    example: `--path '${name}.periodSeconds' ${periodSeconds}`,
    ends: deployment,
  });
}

/** Pods, workers among them: what they are made of, and how long each of their steps may take. */
export const podsShape = {
  podTemplate: field(json(podTemplateSchema.prefault({})), {
    rule: podTemplateRule,
    description:
      "Pods as Kubernetes has them: a pod template, {metadata, spec} as in a Deployment, or the manifest of a Deployment, whose template it is (docs/guides/pod-template.md). What it says wins over the program's defaults, merged as kubectl patch does, null removes. It sets neither the image of the app's container nor the labels app and version. A value of config that looks like a number is a text with --type=string.",
    example: "--path 'podTemplate.spec.nodeSelector[\"kubernetes.io/arch\"]' arm64",
    ends: { place: deployment.place, instead: "secretEnv" },
    parts: {},
    argType: "PodTemplateArg",
  }),
  podTemplateFile: field(podTemplateFile.optional(), {
    rule: podTemplateFileRule,
    description:
      "File, below the program's folder, with a pod template or the manifest of a Deployment, which podTemplate is merged over.",
    example: "deployment.yaml",
    ends: state,
  }),
  workers: field(json(workers.default([]), asWritten), {
    rule: workersRule,
    description:
      "Further pods of each color from the same image, with its variables and Secrets, that answer no requests (docs/guides/workers.md). runOn: active, stopped and started with the switch, or both, which have to be ready before it. replicas: of each color that they run on. overlap: with runOn active, lets the old ones run until the new ones have started; otherwise these wait until those are gone. command and args: words, instead of what the image starts with. podTemplate: merged over the pods of the color, without their ports and probes.",
    example: `'[{"name":"mailer","command":["node","mailer.js"]}]'`,
    ends: { place: deployment.place, instead: "secretEnv" },
    parts: {},
    argType: "WorkerArgs[]",
  }),
  cronJobs: field(json(cronJobs.default([]), asWritten), {
    rule: cronJobsRule,
    description:
      "CronJobs of each color from the same image, with its variables and Secrets: those of the live color start Jobs, those of the idle color are suspended (docs/guides/cron-jobs.md). schedule: five fields of cron, or as @daily. timeZone: of the IANA database; not set, that of the cluster's control plane. concurrencyPolicy: what happens where the Job before still runs. command and args: words, instead of what the image starts with. podTemplate: merged over the pods of the color, without their ports and probes, and with restartPolicy OnFailure.",
    example: `'[{"name":"nightly","schedule":"0 2 * * *","timeZone":"Etc/UTC","command":["node","nightly.js"]}]'`,
    ends: { place: deployment.place, instead: "secretEnv" },
    parts: {},
    argType: "CronJobArgs[]",
  }),
  activeColorFile: flag(
    false,
    "Whether pods, workers among them, have a file with the live color in it, which a switch changes without a restart (docs/guides/active-color-file.md). BLUEGREEN_ACTIVE_COLOR_FILE is its path, and BLUEGREEN_COLOR the pod's own color.",
  ),
  serviceAccount: objectField(serviceAccount, {
    description:
      "The account that pods run as. name: of one that is there; not set, the program makes APP-blue and APP-green. annotations: of those that it makes, as a cloud's role asks for.",
    example: "--path 'serviceAccount.name' shop",
    ends: { place: "ServiceAccounts" },
  }),
  container: field(z.string().regex(dnsLabel).optional(), {
    description:
      "Name of the app's container in its pods. Not set, it is the one of podTemplate that has the image of imageRepository, or APP, the app's name.",
    rule: "a Kubernetes name: lower-case letters, digits and '-', at most 63",
    example: "app",
    ends: deployment,
  }),
  http: objectField(http, {
    description:
      "How the app answers inside its container. port: 1 to 65535, one that is open to the app's user; it is told by no variable. livenessPath: 200 while the process is well, whatever its database does. readinessPath: 200 while it can serve traffic; its body may hold the schema range (docs/guides/migrations.md) and reasons.",
    example: "--path http.port 8080",
    ends: deployment,
  }),
  resources: objectField(resources, {
    description:
      "CPU and memory of each pod, as in a container. A request that is not given has its default. limits are taken whole: one that they do not name is no limit, and {} is none at all.",
    example: "--path resources.requests.cpu 250m",
    ends: deployment,
  }),
  livenessProbe: probe(
    "livenessProbe",
    30,
    10,
    5,
    3,
    "Timings, in seconds, of the probe of /health, which restarts a pod.",
  ),
  readinessProbe: probe(
    "readinessProbe",
    10,
    5,
    3,
    2,
    "Timings, in seconds, of the probe of /ready, which takes a pod out of traffic.",
  ),
  // A Deployment has ten minutes to be ready, and Kubernetes wants that to be longer.
  minReadySeconds: integer(
    5,
    0,
    599,
    "seconds",
    deployment,
    "Seconds, 0 to 599, that a new pod has to stay ready before it counts. A version that dies right after its start does not pass.",
  ),
  preStopDelaySeconds: integer(
    5,
    0,
    300,
    "seconds",
    deployment,
    "Seconds that a stopping pod continues serving until no Service sends to it.",
  ),
  terminationGracePeriodSeconds: integer(
    30,
    1,
    3600,
    "seconds",
    deployment,
    "Seconds from the order to stop until a pod is killed, draining included.",
  ),
  progressDeadlineSeconds: integer(
    300,
    1,
    3600,
    "seconds",
    state,
    "Seconds, 1 to 3600, that a color may take to become ready.",
  ),
};
