import { AsyncLocalStorage } from "node:async_hooks";
import { NotAskedError } from "./reachable.js";

/** A server, as the URL of a database names it. */
export interface Destination {
  host: string;
  port: number;
}

/** A way to databases that does not go through the network of this machine. */
export interface Route {
  /**
   * @returns the port of this machine from which a relay forwards there
   * @throws UnreachableError, or NotAskedError, when none does
   */
  portTo(destination: Destination): Promise<number>;
}

const routes = new AsyncLocalStorage<Route>();

/**
 * All connections that are opened within this work go by this route, and no others: several steps run in one
 * process at the same time (docs/decisions/035-through-the-cluster.md).
 */
export function onRoute<T>(route: Route, work: () => Promise<T>): Promise<T> {
  return routes.run(route, work);
}

/** Undefined where connections are made directly. */
export function currentRoute(): Route | undefined {
  return routes.getStore();
}

const nowhere: Route = { portTo: () => Promise.reject(new NotAskedError()) };

/** Work within which no database is asked, because only an update makes the relay pod. */
export function withoutAsking<T>(work: () => Promise<T>): Promise<T> {
  return onRoute(nowhere, work);
}
