import { mostOf } from "./amounts.js";
import { podsOfColors, type PodSettings } from "./podSettings.js";
import { followersOf, type Followers } from "./background.js";
import type { Color } from "../app/color.js";
import { secretKeyAt } from "./forms.js";
import { weightsOf, type Weights } from "../routers/weights.js";
import type { Together } from "./clusters.js";
import type { FlatSettings } from "./schema.js";
import { checkSettings } from "./checkSettings.js";

export type ProbeTimings = FlatSettings["livenessProbe"];

/** What differs between the colors. A color without a tag is not deployed: its Deployment stays at zero. */
export interface ColorSettings {
  tag: string | undefined;
  env: Record<string, string>;
  /** The same in secret. */
  secretEnv: Record<string, string>;
  /** SECRET/KEY by the variable that takes it. */
  envFromSecrets: Record<string, string>;
}

/** A stack's config after every rule has been checked. */
export interface Settings
  extends
    Omit<
      FlatSettings,
      | "blueTag"
      | "greenTag"
      | "env"
      | "secretEnv"
      | "envFromSecrets"
      | Color
      | "databaseAdminUrl"
      | "databaseAddress"
      | "canaryWeight"
      | "clusterIssuer"
      | keyof PodSettings
    >,
    Omit<PodSettings, "podTemplate" | "workers" | "cronJobs"> {
  /** Of each color. What stands above it is that of the active one, and what a pod of either needs at most. */
  pods: Record<Color, PodSettings>;
  /** What percentage of traffic each color gets: the idle color gets canaryWeight. */
  weights: Weights;
  clusterIssuer: string | undefined;
  colors: Record<Color, ColorSettings>;
  /** What is to follow the live color; undefined where nothing is. */
  followers: Followers | undefined;
  /** Present when the program makes the database account itself. */
  databaseAccount: { adminUrl: string; address: string } | undefined;
  /** Which of several clusters these are for; null where there is only one. */
  together: Together | null;
}

/**
 * All settings of an app, checked.
 * @param app its name, which those names that nobody gives begin with
 * @param encrypted the keys whose values the stack file keeps encrypted; not given, that is not checked
 * @param code what the program says below the config, and no stack file holds
 * @throws UserError naming every violation at once, each with field, value, rule and example
 */
export function parseSettings(
  app: string,
  config: Record<string, string>,
  encrypted?: readonly string[],
  code: Record<string, unknown> = {},
): Settings {
  return arrange(app, checkSettings(app, config, encrypted, code));
}

/** Settings by what they are for, from those of `checkSettings`. */
function arrange(app: string, flat: FlatSettings): Settings {
  const {
    blueTag,
    greenTag,
    env,
    secretEnv,
    envFromSecrets,
    blue,
    green,
    databaseAdminUrl,
    databaseAddress,
    canaryWeight,
    clusterIssuer,
    workers,
    cronJobs,
    ...rest
  } = flat;
  const databaseAccount =
    databaseAdminUrl !== undefined && databaseAddress !== undefined
      ? { adminUrl: databaseAdminUrl, address: databaseAddress }
      : undefined;
  const pods = podsOfColors(app, flat);
  const { container, http, resources, terminationGracePeriodSeconds, activeColorFile } =
    pods[flat.activeColor];
  const colorSettings = (tag: string | undefined, own: FlatSettings[Color]): ColorSettings => ({
    tag,
    env: { ...env, ...own.env },
    secretEnv: { ...secretEnv, ...own.secretEnv },
    envFromSecrets: { ...envFromSecrets, ...own.envFromSecrets },
  });
  return {
    ...rest,
    container,
    http,
    resources,
    terminationGracePeriodSeconds,
    activeColorFile,
    pod: mostOf(pods.blue.pod, pods.green.pod),
    pods,
    weights: weightsOf(flat.activeColor, canaryWeight),
    clusterIssuer: clusterIssuer === "none" ? undefined : clusterIssuer,
    colors: { blue: colorSettings(blueTag, blue), green: colorSettings(greenTag, green) },
    followers: followersOf({ workers, cronJobs, activeColorFile: flat.activeColorFile, blue, green }),
    databaseAccount,
    together: null,
  };
}

/** A variable of a color's pods that somebody's Secret has: what config gives itself is not asked of one. */
export function secretKeysOf({
  envFromSecrets,
  secretEnv,
}: ColorSettings): { variable: string; name: string; key: string }[] {
  return Object.entries(envFromSecrets).flatMap(([variable, at]) =>
    variable in secretEnv ? [] : [{ variable, ...secretKeyAt(at) }],
  );
}

/** Where a stack's app is: a cluster, and what is known there of the others. */
export type Place = Pick<Settings, "context" | "together">;

/** The clusters of a stack, in the order of config. */
export function placesOf({
  context,
  clusters: { targets: members, onFailure },
}: Pick<FlatSettings, "context" | "clusters">): Place[] {
  if (members.length === 0) return [{ context, together: null }];
  return members.map((member) => ({
    context: member.context,
    together: { name: member.name, others: members.filter((each) => each !== member), onFailure },
  }));
}
