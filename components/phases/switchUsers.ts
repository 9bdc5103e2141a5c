import type * as pulumi from "@pulumi/pulumi";
import { otherColor } from "@bluegreen/release/color";
import { makeActiveService } from "../activeService";
import { AppRoute } from "../appRoute";
import type { BlueGreenApp } from "../blueGreenApp";
import { ReadOnlyFence } from "../readOnlyFence";
import { Drain, Watch } from "../steps";
import type { Prepared } from "./prepare";

/** An app whose users are on the active color, and were watched there. */
export interface Switched extends Prepared {
  liveColor: pulumi.Output<string>;
  /** Undefined where it waits for the other color, which gets a share of the users by it. */
  route: AppRoute | undefined;
  /** Users have arrived. */
  moved: pulumi.Resource[];
  /** Nobody needs the color any more that they have left, but as the way back. */
  left: pulumi.Resource[];
}

/** Users move to the active color, by the Service and then the route, and are watched there. */
export function switchUsers(prepared: Prepared): Switched {
  const { app, databases, watcher, gate, gates } = prepared;
  const { name, settings, templates, provider, where, users, movable } = app;
  const { activeColor, weights } = settings;
  const fence = new ReadOnlyFence(name, settings, { parent: app });
  const service = makeActiveService(name, { settings, templates, switchId: gate.switchId }, { parent: app, provider, dependsOn: databases.handOver(fence.raise(gates)) });
  const route = weights[otherColor(activeColor)] === 0 ? leadIn(app, gate.switchId, service) : undefined;
  // Without weights the way in stays as it is: users have arrived with the Service.
  const arrived = movable === null || route === undefined ? [service] : [service, ...route.objects];
  const writing = fence.lower(arrived);
  const moved = databases.settle(arrived);
  const watch = new Watch(`${name}-watch`, { ...where, ...users, switchId: gate.switchId, watcher: watcher.isThere }, app.after([...moved, ...writing]));
  const drained = drain(app, gate.switchId, [...moved, ...writing]);
  return { ...prepared, liveColor: service.spec.selector.apply((selector) => selector["version"] ?? "none"), route, moved, left: [watch, ...drained] };
}

/** The way in from outside. */
export function leadIn({ name, settings, within }: BlueGreenApp, switchId: pulumi.Output<string>, after: pulumi.Resource): AppRoute {
  return new AppRoute(name, { settings, switchId, after: [after] }, within);
}

/** Beside the watch: a way back does not wait for it. None where the other color keeps a share of the users. */
function drain(app: BlueGreenApp, switchId: pulumi.Input<string>, after: pulumi.Resource[]): pulumi.Resource[] {
  const { activeColor, weights, drain: { seconds } } = app.settings;
  if (seconds === 0 || weights[otherColor(activeColor)] > 0) return [];
  return [new Drain(`${app.name}-drain`, { ...app.where, switchId, seconds }, app.after(after))];
}
