import { scrypt, scryptSync } from "node:crypto";
import { colors } from "@bluegreen/release/app/color";

/** Both colors, in each of several clusters, mostly have the same variables: each is hashed once. */
const hashes = new Map<string, Buffer>();

/** A guess takes a tenth of a second and 32 MiB. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 };
const length = 32;

/** What is hashed of variables. Sorted: the order of the stack file's lines is not content. */
export function contentOf(data: Record<string, string>): string {
  return JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * What names an app's secret variables. A name shows in previews, state and to everybody who may list pods. What
 * an onlooker can learn from this one: that the secret variables of the color are other ones than before, and
 * whether a guess at *all* of them together is right, at the cost above. So keys that nobody can guess stay what
 * they are, and so does a weak password beside one of them. A keyed hash would give away less, but the key would
 * have to be kept somewhere: where it is lost, the previous settings no longer give the previous name.
 */
export function secretHash(content: string, app: string, namespace: string): Buffer {
  const salt = saltOf(app, namespace);
  const key = keyOf(content, salt);
  const hash = hashes.get(key) ?? scryptSync(content, salt, length, cost);
  hashes.set(key, hash);
  return hash;
}

/**
 * Begins the hashes of an update in another thread, before its program has loaded. Of variables that code adds to
 * those in config there is none: those are hashed when they are asked for.
 * @param config of the stack, as Pulumi hands it to the program
 */
export function startSecretHashes(config: string): void {
  try {
    const values = JSON.parse(config) as Record<string, string>;
    for (const name of Object.keys(values)) {
      const app = /^([^:]+):secretEnv$/.exec(name)?.[1];
      if (app === undefined) continue;
      // Pulumi.yaml gives "" for what is not set.
      startHashes(app, (key, unset) => {
        const value = values[`${app}:${key}`] ?? "";
        return value === "" ? unset : value;
      });
    }
  } catch {
    // The program refuses config that is not JSON, and says so.
  }
}

function startHashes(app: string, settingOf: (key: string, unset: string) => string): void {
  const objectOf = (key: string): unknown => JSON.parse(settingOf(key, "{}"));
  const ofBoth = objectOf("secretEnv") as Record<string, string>;
  const contents = colors.map((color) =>
    contentOf({ ...ofBoth, ...(objectOf(color) as { secretEnv?: Record<string, string> }).secretEnv }),
  );
  const salt = saltOf(app, settingOf("namespace", app));
  for (const content of new Set(contents)) {
    if (content === contentOf({})) continue;
    scrypt(content, salt, length, cost, (error, hash) => {
      if (error === null) hashes.set(keyOf(content, salt), hash);
    });
  }
}

function saltOf(app: string, namespace: string): string {
  return `${namespace}/${app}`;
}

function keyOf(content: string, salt: string): string {
  return JSON.stringify([content, salt]);
}
