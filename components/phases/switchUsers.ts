import type * as pulumi from "@pulumi/pulumi";
import { otherColor } from "@bluegreen/release/color";
import { makeActiveService } from "../activeService";
import { AppRoute } from "../appRoute";
import type { AppInCluster } from "../appInCluster";
import { ReadOnlyFence } from "../readOnlyFence";
import { Drain, SwitchTurn, Watch } from "../steps";
import type { Prepared } from "./prepare";

/** An app whose users are on the active color, and were watched there. */
export interface Switched extends Prepared {
  liveColor: pulumi.Output<string>;
  /** Undefined where it waits for the other color, which gets a share of the users by it. */
  route: AppRoute | undefined;
  /** Users have arrived. */
  moved: pulumi.Resource[];
  watch: Watch;
  /** Nobody needs the color any more that they have left, but as the way back. */
  left: pulumi.Resource[];
}

export interface SwitchArgs {
  /** Of every cluster. */
  gates: pulumi.Resource[];
  /** The clusters whose users move first, and are watched. */
  turns: Switched[];
  /** The way in to another cluster, if there is one already. */
  route: AppRoute | undefined;
}

/** Users move to the active color, by the Service and then the route, and are watched there. */
export function switchUsers(prepared: Prepared, { gates, turns, route: shared }: SwitchArgs): Switched {
  const { app, databases, watcher, gate } = prepared;
  const { name, settings, templates, provider, among, users, movable } = app;
  const { activeColor, weights } = settings;
  const fence = new ReadOnlyFence(name, settings, { parent: app });
  const service = makeActiveService(name, { settings, templates, switchId: gate.switchId }, { parent: app, provider, dependsOn: databases.handOver(fence.raise([...gates, ...takeTurn(prepared, turns, gates)])) });
  const route = weights[otherColor(activeColor)] === 0 ? leadIn(app, gate.switchId, service, shared) : undefined;
  // Without weights the way in stays as it is: users have arrived with the Service.
  const arrived = movable === null || route === undefined ? [service] : [service, ...route.objects];
  const writing = fence.lower(arrived);
  const moved = databases.settle(arrived);
  const watch = new Watch(app.named("watch"), { ...among, ...users, ...app.analysis, switchId: gate.switchId, watcher: watcher.isThere }, app.after([...moved, ...writing]));
  const drained = drain(app, gate.switchId, [...moved, ...writing]);
  return { ...prepared, liveColor: service.spec.selector.apply((selector) => selector["version"] ?? "none"), route, moved, watch, left: [watch, ...drained] };
}

/** Nothing to wait for where users of no other cluster move before. */
function takeTurn({ app, gate }: Prepared, turns: Switched[], gates: pulumi.Resource[]): pulumi.Resource[] {
  if (turns.length === 0) return [];
  const { image, hash: template } = app.templates[app.settings.activeColor];
  return [new SwitchTurn(app.named("switch-turn"), { ...app.among, ...app.users, ...app.analysis, image, template, autoscaled: app.autoscaled, switchId: gate.switchId }, app.after([...gates, ...turns.map(({ watch }) => watch)]))];
}

/** The way in from outside. */
export function leadIn({ name, settings, within }: AppInCluster, switchId: pulumi.Output<string>, after: pulumi.Resource, shared?: AppRoute): AppRoute {
  return new AppRoute(name, { settings, switchId, after: [after], shared }, within);
}

/** Beside the watch: a way back does not wait for it. None where the other color keeps a share of the users. */
function drain(app: AppInCluster, switchId: pulumi.Input<string>, after: pulumi.Resource[]): pulumi.Resource[] {
  const { activeColor, weights, drain: { seconds } } = app.settings;
  if (seconds === 0 || weights[otherColor(activeColor)] > 0) return [];
  return [new Drain(app.named("drain"), { ...app.where, switchId, seconds }, app.after(after))];
}
