import { secretName } from "../databases/databaseSecrets.js";
import { colors, namespaceOf, namespacesOf, type Color, type NamespacedName } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/requests.js";
import { findSecretValues } from "../kubernetes/secretValue.js";
import { secretKeyAt } from "../config/forms.js";
import { secretKeysOf, type Settings } from "../config/settings.js";
import { broken, well, type Finding } from "../util/finding.js";
import { referencesOf, type Planned, type Reference } from "./planned.js";

interface Needed extends NamespacedName {
  kind: Reference["kind"];
  /** Of which none may be empty. */
  filled: readonly string[];
  /** Of which some may be: what they hold is up to the pods. */
  keys: readonly string[];
  /** Whether images are pulled with it. */
  pulls: boolean;
}

/** The Secrets and ConfigMaps that somebody makes by hand, with the keys that pods and the release read from them. */
export async function examineSecrets(
  cluster: Cluster,
  settings: Settings,
  planned?: Planned,
): Promise<Finding[]> {
  const needed = together([
    ...(planned === undefined ? neededBySettings(settings) : neededBy(planned, settings)),
    ...neededByJobs(settings),
  ]).filter((each) => !isMade(each, planned?.made));
  const found = await Promise.all(
    needed.map(async (needed): Promise<Finding[]> => {
      const { kind, namespace, name, filled, keys } = needed;
      const values = await valuesOf(cluster, needed);
      const missing = [
        ...filled.filter((key) => (values?.[key] ?? "") === ""),
        ...keys.filter((key) => !filled.includes(key) && values?.[key] === undefined),
      ];
      if (values !== undefined && missing.length === 0) return [];
      return [
        broken(
          "secrets",
          `${kind} ${namespace}/${name} ${values === undefined ? "is not there" : `has no ${missing.join(" and no ")}`}`,
          createCommand(needed, missing),
        ),
      ];
    }),
  );
  const findings = found.flat();
  return findings.length > 0
    ? findings
    : [
        well(
          "secrets",
          "every Secret and ConfigMap that pods and the release read is there, or config makes it",
        ),
      ];
}

/** Undefined where there is no such object. */
async function valuesOf(
  cluster: Cluster,
  { kind, namespace, name }: Needed,
): Promise<Record<string, string> | undefined> {
  if (kind === "Secret") return findSecretValues(cluster, { namespace, name });
  const found = await orUndefined(cluster.core.readNamespacedConfigMap({ namespace, name }));
  return found && { ...found.data, ...found.binaryData };
}

/** From a file, so that no shell remembers a value. */
function createCommand({ kind, namespace, name, pulls }: Needed, keys: string[]): string {
  const create = `kubectl -n ${namespace} create`;
  if (pulls) return `${create} secret docker-registry ${name} --from-file=.dockerconfigjson=FILE`;
  const of = kind === "Secret" ? "secret generic" : "configmap";
  const what = keys.length === 0 ? "NAME=…" : keys.map((key) => `${key}=…`).join(" and ");
  return `write ${what} to a file, then ${create} ${of} ${name} --from-env-file=FILE`;
}

/** By the program itself. */
function isMade({ kind, namespace, name }: Needed, made: Planned["made"] = []): boolean {
  return made.some((each) => each.kind === kind && each.namespace === namespace && each.name === name);
}

/** What the program's own arguments ask for, which may be other than config. */
function neededBy({ references, database }: Planned, settings: Settings): Needed[] {
  const ours: readonly string[] = namespacesOf(settings);
  const ofDatabase =
    database === undefined ? [] : colors.map((color) => databaseOf(settings, database, color));
  return [...ofDatabase, ...references.map((each) => ({ ...each, filled: [] }))].filter((each) =>
    ours.includes(each.namespace),
  );
}

const secret = { kind: "Secret", filled: [], keys: [], pulls: false } as const;

/** What steps and pods reach a color's database by. */
function databaseOf(
  settings: Settings,
  { strategy, databaseSecret }: NonNullable<Planned["database"]>,
  color: Color,
): Needed {
  return {
    ...secret,
    namespace: namespaceOf(settings, color),
    name: secretName({ strategy, databaseSecret }, color),
    filled: strategy === "shared" ? ["url"] : ["url", "admin-url", "peer-url"],
  };
}

/** What config asks for, where the program could not be asked. */
function neededBySettings(settings: Settings): Needed[] {
  const {
    databaseAccount,
    databaseSecret,
    database: { strategy },
    imagePullSecrets,
    namespace: shared,
    analysis: { controllerImage },
  } = settings;
  const pull = (namespace: string): Needed[] =>
    imagePullSecrets.map((name) => ({ ...secret, namespace, name, pulls: true }));
  const needed = colors.flatMap((color): Needed[] => {
    const namespace = namespaceOf(settings, color);
    return [
      ...(databaseAccount !== undefined || strategy === "none"
        ? []
        : [databaseOf(settings, { strategy, databaseSecret }, color)]),
      ...secretKeysOf(settings.colors[color]).map(({ name, key }) => ({
        ...secret,
        namespace,
        name,
        filled: [key],
      })),
      ...pull(namespace),
      ...referencesOf(settings.pods[color].podTemplate.spec).map((each) => ({
        ...each,
        namespace,
        filled: [],
      })),
    ];
  });
  // The analysis controller is in the app's namespace, wherever the colors are.
  return [...needed, ...(controllerImage === "" ? [] : pull(shared))];
}

/** Jobs of gates, which may check either color. */
function neededByJobs(settings: Settings): Needed[] {
  const asked = settings.gates.flatMap(({ job }) => Object.values(job?.envFromSecrets ?? {}));
  return colors.flatMap((color) =>
    asked.map(secretKeyAt).map(({ name, key }) => ({
      ...secret,
      namespace: namespaceOf(settings, color),
      name,
      filled: [key],
    })),
  );
}

/** Each once, with all of its keys: both colors may read it, and several variables. */
function together(needed: Needed[]): Needed[] {
  const whole = new Map<string, Needed>();
  for (const each of needed) {
    const at = `${each.kind} ${each.namespace}/${each.name}`;
    const { filled, keys, pulls } = whole.get(at) ?? secret;
    whole.set(at, {
      ...each,
      filled: [...new Set([...filled, ...each.filled])],
      keys: [...new Set([...keys, ...each.keys])],
      pulls: pulls || each.pulls,
    });
  }
  return [...whole.values()];
}
