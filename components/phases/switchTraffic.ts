import type * as pulumi from "@pulumi/pulumi";
import { otherColor } from "@bluegreen/release/app/color";
import { metricsOf } from "@bluegreen/release/config/analysisSettings";
import { makeActiveService } from "../activeService";
import { AppRoute } from "../appRoute";
import type { AppInCluster } from "../appInCluster";
import type { ReleaseStep } from "../dynamicStep";
import { gatesAfterSwitch } from "../ownGates";
import { FreezeAroundSwitch } from "../writeFreeze";
import type { Prepared } from "./prepare";

/** An app whose traffic is on the active color, and was analyzed there. */
export interface Switched extends Prepared {
  liveColor: pulumi.Output<string>;
  /** Undefined where it waits for the other color, which gets its canary weight by it. */
  route: AppRoute | undefined;
  /** Traffic has arrived. */
  moved: pulumi.Resource[];
  analysis: ReleaseStep<"analysis">;
  /** Nobody needs the color any more that traffic has left, but as the rollback target. */
  left: pulumi.Resource[];
}

export interface SwitchArgs {
  /** Of every cluster. */
  gates: pulumi.Resource[];
  /** The clusters whose traffic moves first, and is analyzed. */
  turns: Switched[];
  /** The ingress of another cluster, if there is one already. */
  route: AppRoute | undefined;
}

/** Traffic moves to the active color, by the Service and then the route, and is analyzed there. */
export function switchTraffic(prepared: Prepared, { gates, turns, route: shared }: SwitchArgs): Switched {
  const { app, databases, controller, gate } = prepared;
  const { name, settings, templates, provider, among, move, movable } = app;
  const { activeColor, weights } = settings;
  const freeze = new FreezeAroundSwitch(name, settings, { parent: app });
  const service = makeActiveService(
    name,
    { settings, templates, switchId: gate.switchId },
    {
      parent: app,
      provider,
      dependsOn: databases.handOver(
        freeze.raise(stopWorkers(app, [...gates, ...takeTurn(prepared, turns, gates)])),
      ),
    },
  );
  const route =
    weights[otherColor(activeColor)] === 0 ? makeRoute(app, gate.switchId, service, shared) : undefined;
  // Without weights the ingress stays as it is: traffic has moved with the Service.
  const arrived = movable === null || route === undefined ? [service] : [service, ...route.objects];
  const writing = freeze.lower(arrived);
  const moved = databases.reconcile(arrived);
  const analysis = app.step(
    "analysis",
    { ...among, ...move, ...app.analysis, switchId: gate.switchId, controller: controller.isThere },
    [...moved, ...writing],
  );
  // Beside the analysis: nobody goes without analysis for as long as they take.
  const staffed = startWorkers(app, [...moved, ...writing]);
  const drained = drain(app, gate.switchId, [...moved, ...writing]);
  // Beside the analysis: nobody goes without analysis for as long as a load test takes.
  const passed = route === undefined ? [] : gatesAfterSwitch(app, gate.switchId, [...moved, ...writing]);
  return {
    ...prepared,
    liveColor: service.spec.selector.apply((selector) => selector["version"] ?? "none"),
    route,
    moved,
    analysis,
    left: [analysis, ...staffed, ...drained, ...passed],
  };
}

/** @returns what traffic has to wait for: last of all, so that nobody is without workers for longer than it takes */
function stopWorkers(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { followers } = app.settings;
  if (followers === undefined) return after;
  return [...after, app.step("workersStop", { ...app.where, ...followers }, after)];
}

function startWorkers(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { activeColor, followers, progressDeadlineSeconds: budgetSeconds } = app.settings;
  if (followers === undefined) return [];
  const { hash: template } = app.templates[activeColor];
  return [app.step("workersStart", { ...app.where, ...followers, template, budgetSeconds }, after)];
}

/** Nothing to wait for where traffic of no other cluster moves before. */
function takeTurn({ app, gate }: Prepared, turns: Switched[], gates: pulumi.Resource[]): pulumi.Resource[] {
  if (turns.length === 0) return [];
  const { image, hash: template } = app.templates[app.settings.activeColor];
  return [
    app.step(
      "switchTurn",
      {
        ...app.among,
        ...app.move,
        ...app.analysis,
        image,
        template,
        autoscaled: app.autoscaled,
        switchId: gate.switchId,
      },
      [...gates, ...turns.map(({ analysis }) => analysis)],
    ),
  ];
}

/** The ingress. */
export function makeRoute(
  { name, settings, within }: AppInCluster,
  switchId: pulumi.Output<string>,
  after: pulumi.Resource,
  shared?: AppRoute,
): AppRoute {
  return new AppRoute(name, { settings, switchId, after: [after], shared }, within);
}

/**
 * Beside the analysis: a rollback does not wait for it. None where the other color keeps a canary weight.
 */
function drain(
  app: AppInCluster,
  switchId: pulumi.Input<string>,
  after: pulumi.Resource[],
): pulumi.Resource[] {
  const {
    activeColor,
    weights,
    connectionDrain: { timeoutSeconds: seconds },
  } = app.settings;
  if (seconds === 0 || weights[otherColor(activeColor)] > 0) return [];
  const metrics = metricsOf(app.settings);
  return [app.step("drain", { ...app.where, switchId, seconds, metrics }, after)];
}
