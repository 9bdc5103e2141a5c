import * as pulumi from "@pulumi/pulumi";
import { placesOf } from "@bluegreen/release/config/settings";
import type { AppSettings } from "./lateArgs";
import { AppInCluster } from "./appInCluster";
import { lock, unlock } from "./phases/lock";
import { prepare, type Prepared } from "./phases/prepare";
import { contract, reconcile, type Reconciled } from "./phases/reconcile";
import { switchTraffic, type Switched } from "./phases/switchTraffic";
import { adoptPlainNames } from "./resourceName";

interface Outputs {
  liveColor: pulumi.Output<string>;
  schemaVersion: pulumi.Output<string>;
  previewPassword: pulumi.Output<string>;
  previewToken: pulumi.Output<string>;
}

/** What a release has come to. Where clusters do not agree, that is `mixed`. */
export interface Released extends Outputs {
  /** By the names of config; none where there is only one. */
  clusters: Record<string, Pick<Outputs, "liveColor" | "schemaVersion">>;
}

/**
 * One release of an app. The only place that knows its order:
 *
 *     lock      on the live color
 *     prepare   isolation, room for both colors → config of both colors → expand migrations → preflight pod of a live change
 *               → the active color rolls out → its schema and smoke gates → the gate of the switch
 *     switch    the workers of the other color stop → the active Service points to it → the route points there → its
 *               workers start, the analysis, and the drain of the other color
 *     reconcile the other color rolls out → its gates
 *     contract  contract migrations
 *     unlock
 *
 * The color that config makes active always comes first. So a switch moves traffic only after its
 * gates, and a rollback moves it away from a bad color before that one is touched. Where config gives
 * the idle color a canary weight, the route comes after that color's gates, and an analysis of its own.
 *
 * Over several clusters each phase waits for the one before in all of them. Only traffic moves in one
 * cluster after the other, unless config says at once; and what works on the database, which may be
 * the same one, takes turns.
 */
export function release(
  name: string,
  settings: AppSettings,
  options: pulumi.ComponentResourceOptions = {},
): Released {
  const apps = placesOf(settings).map(
    (place, index) =>
      new AppInCluster(
        name,
        { ...settings, ...place },
        index === 0 ? { ...options, transformations: [adoptPlainNames(place)] } : options,
      ),
  );
  const locked = inTurn(apps.toSorted(byCluster), lock).sort(
    (a, b) => apps.indexOf(a.app) - apps.indexOf(b.app),
  );
  const locks = locked.map((each) => each.lock);
  const prepared = inTurn(locked, (each, before: Prepared[]) => prepare(each, { locks, before }));
  const gates = prepared.flatMap((each) => each.gates);
  const switched = inTurn(prepared, (each, before: Switched[]) =>
    switchTraffic(each, {
      gates,
      turns: settings.clusters.rollout === "sequential" ? before : [],
      route: before[0]?.route,
    }),
  );
  const reconciled = inTurn(switched, (each, before: Reconciled[]) =>
    reconcile(each, { everywhere: switched, before }),
  );
  const contracted = inTurn(reconciled, (each, before: pulumi.Resource[][]) =>
    contract(each, [...reconciled.flatMap((other) => other.switched), ...before.flat()]),
  ).flat();
  for (const each of reconciled) unlock(each, [...reconciled.flatMap(({ last }) => last), ...contracted]);
  return summarize(reconciled);
}

function summarize(reconciled: Reconciled[]): Released {
  const outputs = reconciled.map(({ app, liveColor, migrations, route }) => ({
    cluster: app.settings.together?.name,
    liveColor,
    schemaVersion: migrations?.schemaVersion ?? pulumi.output("none"),
    previewPassword: route.previewPassword,
    previewToken: route.previewToken,
  }));
  const agreed = (key: keyof Outputs) =>
    pulumi
      .all(outputs.map((each) => each[key]))
      .apply((values) => (new Set(values).size === 1 ? (values[0] ?? "") : "mixed"));
  const named = outputs.flatMap(({ cluster, liveColor, schemaVersion }) =>
    cluster === undefined ? [] : [[cluster, { liveColor, schemaVersion }] as const],
  );
  return {
    liveColor: agreed("liveColor"),
    schemaVersion: agreed("schemaVersion"),
    previewPassword: agreed("previewPassword"),
    previewToken: agreed("previewToken"),
    clusters: Object.fromEntries(named),
  };
}

/** The same order for everybody, however config lists them. */
function byCluster(a: AppInCluster, b: AppInCluster): number {
  return a.pulumiName < b.pulumiName ? -1 : 1;
}

/** Each knows what was made of those before it. */
function inTurn<Item, Made>(items: readonly Item[], make: (item: Item, before: Made[]) => Made): Made[] {
  return items.reduce<Made[]>((before, item) => [...before, make(item, before)], []);
}
