import { z } from "zod";
import { isMadeByProgram, names } from "../app/names.js";
import type { Gate } from "../config/gates.js";
import { containersOf } from "../config/podTemplate/userTemplate.js";
import { strategies, type Strategy } from "../config/schema/database.js";
import type { Settings } from "../config/settings.js";
import { routerNames } from "../routers/routers.js";
import { isFields, type Fields } from "../util/json.js";

/** A resource of a preview, as the program has registered it, with whatever its code adds to config. */
export interface PlannedResource {
  /** As Pulumi calls it. */
  type: string;
  inputs: Fields;
}

type In<T> = T & { namespace: string };

/** What a preview tells of the Secrets and ConfigMaps that a release needs. */
export interface Planned {
  references: In<Reference>[];
  /** What the program makes itself. */
  made: In<Pick<Reference, "kind" | "name">>[];
  /** By whose Secrets steps reach a database; undefined where none is asked. */
  database: { strategy: Strategy; databaseSecret: string } | undefined;
}

/** Reads nothing but its arguments. */
export function plannedIn(resources: readonly PlannedResource[]): Planned {
  const of = (kind: string) =>
    resources.flatMap(({ type, inputs }) => {
      const { name, namespace } = isFields(inputs["metadata"]) ? inputs["metadata"] : {};
      return type === `kubernetes:${kind}` && typeof name === "string" && typeof namespace === "string"
        ? [{ name, namespace, inputs }]
        : [];
    });
  const made = (["Secret", "ConfigMap"] as const).flatMap((kind) =>
    of(`core/v1:${kind}`).map(({ name, namespace }) => ({ kind, name, namespace })),
  );
  return {
    references: [
      ...of("apps/v1:Deployment").flatMap(({ namespace, inputs }) =>
        referencesOf(specIn(inputs)).map((each) => ({ ...each, namespace })),
      ),
      ...of("core/v1:ServiceAccount").flatMap(({ namespace, inputs }) =>
        referencesOf({ imagePullSecrets: inputs["imagePullSecrets"] }).map((each) => ({
          ...each,
          namespace,
        })),
      ),
    ],
    made,
    database: databaseIn(resources),
  };
}

/** Steps that ask a database say which. */
function databaseIn(resources: readonly PlannedResource[]): Planned["database"] {
  return resources.flatMap(({ inputs: { strategy, databaseSecret } }) => {
    const found = strategies.find((each) => each === strategy);
    return found !== undefined && typeof databaseSecret === "string"
      ? [{ strategy: found, databaseSecret }]
      : [];
  })[0];
}

function specIn({ spec }: Fields): Fields {
  const template = isFields(spec) ? spec["template"] : undefined;
  const pod = isFields(template) ? template["spec"] : undefined;
  return isFields(pod) ? pod : {};
}

const place = z.object({ namespace: z.string(), namespacePerColor: z.boolean() });
const way = z.object({ router: z.enum(routerNames), ingressClass: z.string().nullish() });
const size = z.object({ maxReplicas: z.number() });
const command = z.object({ command: z.array(z.string()) });
// Checked before it became an argument of a step.
const gate = z.object({ gate: z.custom<Gate>(isFields) });
const metadata = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
});
const issued = z.object({ spec: z.object({ issuerRef: z.object({ name: z.string() }) }) });
const parent = z.object({ namespace: z.string(), name: z.string(), sectionName: z.string().optional() });
const attached = z.object({ spec: z.object({ parentRefs: z.tuple([parent], z.unknown()) }) });
const image = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({ containers: z.tuple([z.object({ image: z.string() })], z.unknown()) }),
    }),
  }),
});

/**
 * Config as the program's own arguments have changed it: what a preview would make tells where it goes, by which
 * router, what of it there is, and what runs in Jobs. What it does not tell, and whatever is secret, is config's.
 * Reads nothing but its arguments.
 */
export function settingsIn(app: string, resources: readonly PlannedResource[], settings: Settings): Settings {
  const steps = <T>(kind: string, shape: z.ZodType<T>): T[] =>
    resources.flatMap(({ type, inputs }) => {
      const { data } = type.endsWith(`dynamic/bluegreen:${kind}`) ? shape.safeParse(inputs) : {};
      return data === undefined ? [] : [data];
    });
  const [where] = steps("LiveLock", place);
  // Another program than one of ours, or of an older version.
  if (where === undefined) return settings;
  const objects = (kind: string) =>
    resources.flatMap(({ type, inputs }) => {
      const { data } =
        type.startsWith("kubernetes:") && type.endsWith(`:${kind}`) ? metadata.safeParse(inputs) : {};
      return data === undefined ? [] : [{ ...data.metadata, inputs }];
    });
  const made = (kind: string) => objects(kind).filter((each) => isMadeByProgram(each, app));
  const [asked] = steps("RouterGate", way);
  const [sized] = steps("ColorSize", size);
  const controller = objects("Deployment").find(({ name }) => name === names.controller(app));
  const [migration] = steps("MigrationCommand", command);
  const moments = ["GateBeforeRollout", "GateBeforeSwitch", "GateAfterSwitch", "GateBeforeScaleDown"];
  return {
    ...settings,
    ...where,
    createNamespaces: made("Namespace").length > 0,
    traffic: {
      ...settings.traffic,
      ...(asked !== undefined && { router: asked.router }),
      ...gatewayOf(made("HTTPRoute")),
    },
    ...(asked !== undefined && { ingressClass: asked.ingressClass ?? undefined }),
    ...issuerOf([...made("Ingress"), ...made("Certificate")]),
    autoscaling: { ...settings.autoscaling, ...sized },
    quota: { ...settings.quota, enabled: made("ResourceQuota").length > 0 },
    networkPolicy: { ...settings.networkPolicy, enabled: made("NetworkPolicy").length > 0 },
    analysis: { ...settings.analysis, controllerImage: imageOf(controller?.inputs) },
    ...databaseOf(settings, databaseIn(resources), {
      hasAccount: steps("DatabaseAccount", z.object({})).length > 0,
      hasRelay: resources.some(({ inputs }) => isFields(inputs["relay"])),
    }),
    migrations: { ...settings.migrations, ...migration },
    // Not every update passes all of them.
    gates: [...settings.gates, ...moments.flatMap((kind) => steps(kind, gate).map((each) => each.gate))],
  };
}

interface Made {
  annotations: Record<string, string>;
  inputs: PlannedResource["inputs"];
}

function gatewayOf([route]: Made[]): Partial<Pick<Settings["traffic"], "gateway">> {
  const { data } = attached.safeParse(route?.inputs);
  if (data === undefined) return {};
  const [{ namespace, name, sectionName }] = data.spec.parentRefs;
  return { gateway: [namespace, name, ...(sectionName === undefined ? [] : [sectionName])].join("/") };
}

/** Of an Ingress by its annotation, of a Certificate by what it refers to. */
function issuerOf(made: Made[]): Partial<Pick<Settings, "clusterIssuer">> {
  if (made.length === 0) return {};
  const issuers = made.flatMap(({ annotations, inputs }) => [
    annotations["cert-manager.io/cluster-issuer"],
    issued.safeParse(inputs).data?.spec.issuerRef.name,
  ]);
  return { clusterIssuer: issuers.find((each) => each !== undefined) };
}

/** None where no step asks one, and the program makes no account for one. */
function databaseOf(
  { database: of, databaseSecret: named }: Settings,
  asked: Planned["database"],
  { hasAccount, hasRelay }: { hasAccount: boolean; hasRelay: boolean },
): Pick<Settings, "database" | "databaseSecret"> {
  const strategy = asked?.strategy ?? (hasAccount ? of.strategy : "none");
  const runIn = hasRelay ? "cluster" : "update";
  return { database: { ...of, strategy, runIn }, databaseSecret: asked?.databaseSecret ?? named };
}

/** Empty where there is none. */
function imageOf(deployment: unknown): string {
  return image.safeParse(deployment).data?.spec.template.spec.containers[0].image ?? "";
}

/** What a pod does not start without. */
export interface Reference {
  kind: "Secret" | "ConfigMap";
  name: string;
  /** None of them: whatever it holds. */
  keys: string[];
  /** Whether images are pulled with it: it is a Secret of another type. */
  pulls: boolean;
}

/**
 * The Secrets and ConfigMaps that a pod spec names: by variables, whole objects of variables, volumes and pull
 * Secrets. What is optional is none.
 */
export function referencesOf(spec: Fields): Reference[] {
  const containers = [...containersOf(spec), ...containersOf(spec, "initContainers")];
  const variables = containers.flatMap(({ env }) => listOf(env)).map(({ valueFrom }) => valueFrom);
  const whole = containers.flatMap(({ envFrom }) => listOf(envFrom));
  const volumes = listOf(spec["volumes"]);
  const sources = volumes.flatMap(({ projected }) => listOf(isFields(projected) && projected["sources"]));
  return [
    ...variables
      .filter(isFields)
      .flatMap(({ secretKeyRef, configMapKeyRef }) => [
        ...reference("Secret", secretKeyRef),
        ...reference("ConfigMap", configMapKeyRef),
      ]),
    ...whole.flatMap(({ secretRef, configMapRef }) => [
      ...reference("Secret", secretRef),
      ...reference("ConfigMap", configMapRef),
    ]),
    ...[...volumes, ...sources].flatMap(({ secret, configMap }) => [
      ...reference("Secret", secret),
      ...reference("ConfigMap", configMap),
    ]),
    ...listOf(spec["imagePullSecrets"]).flatMap((each) =>
      reference("Secret", each).map((found) => ({ ...found, pulls: true })),
    ),
  ];
}

/** One field of a kind in a spec: a volume calls its Secret otherwise than all others do. */
function reference(kind: Reference["kind"], of: unknown): Reference[] {
  if (!isFields(of) || of["optional"] === true) return [];
  const name = of["name"] ?? of["secretName"];
  if (typeof name !== "string") return [];
  const keys = [of["key"], ...listOf(of["items"]).map(({ key }) => key)];
  return [{ kind, name, keys: keys.filter((key) => typeof key === "string"), pulls: false }];
}

function listOf(list: unknown): Fields[] {
  return Array.isArray(list) ? list.filter(isFields) : [];
}
