import { colors, otherColor, type Color } from "../app/color.js";
import { names } from "../app/names.js";
import type { Weights } from "../routers/weights.js";
import { shownIn } from "../util/shown.js";
import type { ReleaseStatus } from "../releases/status.js";
import { gates, kindOf, resourceOf, steps, type StepName } from "./registry.js";
import type { Upcoming } from "./declared.js";

/** What of a preview a plan is made of. */
export interface Preview {
  steps: readonly { op: string; urn: string }[];
  /** Those of a policy name it. */
  diagnostics: readonly { severity: string; message: string; policy?: string }[];
}

/** What config asks for. */
export interface Wanted {
  activeColor: Color;
  weights: Weights;
  tags: Record<Color, string | undefined>;
  analysisSeconds: number;
  smokeLiveColor: boolean;
}

/** A migration that the update applies, and what the linter says about it. */
export interface DueMigration {
  id: string;
  name: string;
  phase: string;
  findings: string[];
}

/** Why they are not known, where the database could not be read. */
export type DueMigrations = { due: DueMigration[] } | { unreadable: string };

export interface Rollout {
  color: Color;
  /** Null where the color has no pods. */
  from: string | null;
  to: string | null;
  hasTraffic: boolean;
}

/** What an update will do, for somebody who decides about it. */
export interface Plan {
  app: string;
  namespace: string;
  /** What percentage of traffic each color gets; null before the first release. */
  weights: { before: Weights | null; after: Weights };
  /** Clusters in which traffic is on another color now than in the first one. */
  elsewhere: { cluster: string; live: Color | null }[];
  tags: Record<Color, string | null>;
  rollouts: Rollout[];
  migrations: DueMigrations;
  /** In the order in which they are passed. */
  gates: string[];
  /** Whether there is a rollback once the update is done. */
  rollback: { possible: boolean; why: string };
  /** Why the update would be refused; none: it would not. */
  refused: string[];
}

export interface PlanFacts {
  preview: Preview;
  /** Of the first cluster: an update brings all of them to the same. */
  status: ReleaseStatus;
  others: ReleaseStatus[];
  wanted: Wanted;
  migrations: DueMigrations;
  /** What tells an image from others of its repository. */
  tagOf: (image: string) => string;
}

/** A plan, from facts alone, as it may come before people. */
export function planOf({ preview, status, others, wanted, migrations, tagOf }: PlanFacts): Plan {
  const { app, namespace, live } = status;
  const changes = changesOf(preview);
  const before = live === null ? null : weightsOf(status);
  const rollouts = colors
    .filter((color) => changes.has(`Deployment ${app}-${color}`))
    .map((color): Rollout => {
      const image = status.colors.find((each) => each.color === color)?.image ?? null;
      return {
        color,
        from: image === null ? null : tagOf(image),
        to: wanted.tags[color] ?? null,
        hasTraffic: (before?.[color] ?? 0) > 0,
      };
    });
  return shownIn({
    app,
    namespace,
    weights: { before, after: wanted.weights },
    elsewhere: others.flatMap(({ cluster, live: color }) =>
      cluster === null || color === live ? [] : [{ cluster, live: color }],
    ),
    tags: { blue: wanted.tags.blue ?? null, green: wanted.tags.green ?? null },
    rollouts,
    migrations,
    gates: gatesOf(changes, app, {
      isFirst: live === null,
      activeColor: wanted.activeColor,
      idleColor: otherColor(wanted.activeColor),
      analysisSeconds: wanted.analysisSeconds,
      smokeLiveColor: wanted.smokeLiveColor,
    }),
    rollback: rollbackAfter({ app, status, wanted, rollouts, changes }),
    refused: refusedIn(preview),
  });
}

function weightsOf({ colors: all }: ReleaseStatus): Weights {
  const weightOf = (color: Color) => all.find((each) => each.color === color)?.weight ?? 0;
  return { blue: weightOf("blue"), green: weightOf("green") };
}

/**
 * Kinds and names of what is made or changed, as `SmokeGate shop-green-smoke`: in one cluster or in
 * another of those that are released together.
 */
function changesOf({ steps }: Preview): Set<string> {
  const changed = steps.filter(({ op }) => !/^(?:same|read|refresh|delete|discard)/.test(op));
  return new Set(
    changed.map(({ urn }) => {
      const { kind, name } = resourceAt(urn);
      return `${kind} ${name}`;
    }),
  );
}

/**
 * What a URN names: a SmokeGate, shop-green-smoke, and the cluster that it is in, where a stack has
 * several.
 */
export function resourceAt(urn: string): { kind: string; name: string; cluster: string | undefined } {
  const [, , types = "", path = ""] = urn.split("::");
  const [name = "", cluster] = path.split("/").reverse();
  return { kind: types.split(/[$:]/).at(-1) ?? "", name, cluster };
}

/** As changesOf names the change of a step. */
function changeOf(step: StepName, owner: string): string {
  return `${kindOf(step)} ${resourceOf(step, owner)}`;
}

function gatesOf(changes: Set<string>, app: string, update: Upcoming): string[] {
  const planned = (color: Color, isShown: (runs: string) => boolean) =>
    gates.flatMap((name) => {
      const { runs, planned: textOf } = steps[name];
      const text = textOf(update);
      if (text === undefined || !isShown(runs)) return [];
      if (runs === "named")
        return namedIn(changes, name, app, color, update).map((gate) => `gate ${gate} ${text}`);
      const [owner, of] = runs === "color" ? [`${app}-${color}`, ` of ${color}`] : [app, ""];
      return changes.has(changeOf(name, owner)) ? [`${text}${of}`] : [];
    });
  return [
    ...planned(update.activeColor, (runs) => runs !== "last"),
    ...planned(update.idleColor, (runs) => runs === "color" || runs === "named"),
    ...planned(update.activeColor, (runs) => runs === "last"),
  ];
}

/**
 * The names of a setting's that a change is of. One of the app as a whole is of the active color, and one of a shift of
 * the idle one.
 */
function namedIn(
  changes: Set<string>,
  step: StepName,
  app: string,
  color: Color,
  { activeColor }: Upcoming,
): string[] {
  const owners =
    color === activeColor ? [`${app}-${color}-`, `${app}-`] : [`${app}-${color}-`, `${names.shift(app)}-`];
  const all = [...changes].flatMap((change) => {
    const [kind, name = ""] = change.split(" ");
    const end = `-${steps[step].resource}`;
    return kind === kindOf(step) && name.endsWith(end) ? [name.slice(0, -end.length)] : [];
  });
  const others = [`${app}-blue-`, `${app}-green-`, `${names.shift(app)}-`].filter(
    (owner) => !owners.includes(owner),
  );
  return all.flatMap((name) => {
    const owner = others.some((other) => name.startsWith(other))
      ? undefined
      : owners.find((each) => name.startsWith(each));
    return owner === undefined ? [] : [name.slice(owner.length)];
  });
}

interface AfterFacts {
  app: string;
  status: ReleaseStatus;
  wanted: Wanted;
  rollouts: Rollout[];
  changes: Set<string>;
}

function rollbackAfter({ app, status, wanted, rollouts, changes }: AfterFacts): Plan["rollback"] {
  const { live, rollback } = status;
  if (live === null) return { possible: false, why: "it is the first release" };
  const { activeColor, weights } = wanted;
  const idle = otherColor(activeColor);
  if (weights[idle] > 0)
    return { possible: true, why: `the traffic of ${idle} can be rolled back to ${activeColor}` };
  const changed = rollouts.find(({ color }) => color === idle);
  // Before a switch the idle color is the one that traffic is on; otherwise it has to be what that came from.
  if (live === activeColor && !rollback.possible) {
    const runs = status.colors.some(({ color, image }) => color === idle && image !== null);
    return {
      possible: false,
      why: runs
        ? `as now: ${rollback.why.split("\n")[0] ?? ""}`
        : `as now: ${idle} has no pods that were live before`,
    };
  }
  if (changed !== undefined)
    return {
      possible: false,
      why: `${idle} is what a rollback goes to, and it changes: ${changed.from ?? "none"} → ${changed.to ?? "none"}`,
    };
  if (live !== activeColor) return { possible: true, why: `to ${live}, which stays as it is` };
  if (changes.has(changeOf("contract", app)))
    return { possible: false, why: "contract migrations take away what the version before needs" };
  return { possible: true, why: `to ${idle}, as now` };
}

/**
 * What the engine puts before a step's own reason: which resource it is of, which property, and what that is.
 */
const frame = /^\S+ resource '[^']*'(?:: property \S+ value .*?)? has a problem: /s;

/** What a preview says that it refuses. */
export function refusedIn({ diagnostics }: Preview): string[] {
  return diagnostics
    .filter(({ severity }) => severity === "error")
    .map(
      ({ message, policy }) =>
        `${policy === undefined ? "" : `policy ${policy}: `}${message.replace(frame, "")}`,
    );
}
