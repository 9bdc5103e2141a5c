import { colors, otherColor, type Color } from "../color.js";
import type { Weights } from "../route/weights.js";
import { shownIn } from "../shown.js";
import type { ReleaseStatus } from "./status.js";

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
  watchSeconds: number;
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
  hasUsers: boolean;
}

/** What an update will do, for somebody who decides about it. */
export interface Plan {
  app: string;
  namespace: string;
  /** Who gets how many of 100 users; null before the first release. */
  users: { before: Weights | null; after: Weights };
  /** Clusters in which users are on another color now than in the first one. */
  elsewhere: { cluster: string; live: Color | null }[];
  tags: Record<Color, string | null>;
  rollouts: Rollout[];
  migrations: DueMigrations;
  /** In the order in which they are passed. */
  gates: string[];
  /** Whether there is a way back once the update is done. */
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
  const rollouts = colors.filter((color) => changes.has(`Deployment ${app}-${color}`)).map((color): Rollout => {
    const image = status.colors.find((each) => each.color === color)?.image ?? null;
    return { color, from: image === null ? null : tagOf(image), to: wanted.tags[color] ?? null, hasUsers: (before?.[color] ?? 0) > 0 };
  });
  return shownIn({
    app,
    namespace,
    users: { before, after: wanted.weights },
    elsewhere: others.flatMap(({ cluster, live: color }) => (cluster === null || color === live ? [] : [{ cluster, live: color }])),
    tags: { blue: wanted.tags.blue ?? null, green: wanted.tags.green ?? null },
    rollouts,
    migrations,
    gates: gatesOf(changes, { app, wanted, isFirst: live === null }),
    rollback: rollbackAfter({ app, status, wanted, rollouts, changes }),
    refused: refusedIn(preview),
  });
}

function weightsOf({ colors: all }: ReleaseStatus): Weights {
  const users = (color: Color) => all.find((each) => each.color === color)?.users ?? 0;
  return { blue: users("blue"), green: users("green") };
}

/** Kinds and names of what is made or changed, as `SmokeGate chatgpt-app-green-smoke`: in one cluster or in another of those that are released together. */
function changesOf({ steps }: Preview): Set<string> {
  const changed = steps.filter(({ op }) => !/^(?:same|read|refresh|delete|discard)/.test(op));
  return new Set(
    changed.map(({ urn }) => {
      const { kind, name } = resourceAt(urn);
      return `${kind} ${name}`;
    }),
  );
}

/** What a URN names: a SmokeGate, chatgpt-app-green-smoke, and the cluster that it is in, where a stack has several. */
export function resourceAt(urn: string): { kind: string; name: string; cluster: string | undefined } {
  const [, , types = "", path = ""] = urn.split("::");
  const [name = "", cluster] = path.split("/").reverse();
  return { kind: types.split(/[$:]/).at(-1) ?? "", name, cluster };
}

interface GateFacts {
  app: string;
  wanted: Wanted;
  isFirst: boolean;
}

function gatesOf(changes: Set<string>, { app, wanted, isFirst }: GateFacts): string[] {
  const { activeColor, watchSeconds } = wanted;
  const of = (color: Color): [string, string][] => [
    [`Rollout ${app}-${color}-rollout`, `rollout of ${color}`],
    [`SchemaGate ${app}-${color}-schema`, `schema gate of ${color}`],
    [`SmokeGate ${app}-${color}-smoke`, `smoke gate of ${color}`],
  ];
  const known: [string, string][] = [
    [`CapacityGate ${app}-capacity`, "room for both colors"],
    ...of(activeColor),
    [`SwitchGate ${app}-switch-gate`, "gate of the switch"],
    // Nobody is watched, or led away, before there are users.
    ...(isFirst ? [] : ([[`Watch ${app}-watch`, `watch for ${watchSeconds} s`], [`Drain ${app}-drain`, `drain of ${otherColor(activeColor)}`]] satisfies [string, string][])),
    ...of(otherColor(activeColor)),
    [`Contract ${app}-contract`, "contract migrations"],
  ];
  return known.flatMap(([change, gate]) => (changes.has(change) ? [gate] : []));
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
  if (weights[idle] > 0) return { possible: true, why: `the share of ${idle} can be taken back to ${activeColor}` };
  const changed = rollouts.find(({ color }) => color === idle);
  // Before a switch the idle color is the one that users are on; otherwise it has to be what they came from.
  if (live === activeColor && !rollback.possible) {
    const runs = status.colors.some(({ color, image }) => color === idle && image !== null);
    return { possible: false, why: runs ? `as now: ${rollback.why.split("\n")[0] ?? ""}` : `as now: ${idle} has no pods that users came from` };
  }
  if (changed !== undefined) return { possible: false, why: `${idle} is what users would go back to, and it changes: ${changed.from ?? "none"} → ${changed.to ?? "none"}` };
  if (live !== activeColor) return { possible: true, why: `to ${live}, which stays as it is` };
  if (changes.has(`Contract ${app}-contract`)) return { possible: false, why: "contract migrations take away what the version before needs" };
  return { possible: true, why: `to ${idle}, as now` };
}

/** What the engine puts before a step's own reason: which resource it is of, which property, and what that is. */
const frame = /^\S+ resource '[^']*'(?:: property \S+ value .*?)? has a problem: /s;

/** What a preview says that it refuses. */
export function refusedIn({ diagnostics }: Preview): string[] {
  return diagnostics.filter(({ severity }) => severity === "error").map(({ message, policy }) => `${policy === undefined ? "" : `policy ${policy}: `}${message.replace(frame, "")}`);
}
