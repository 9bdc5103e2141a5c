import { connect, messageOf, UserError, type Cluster, type ClusterRef } from "@bluegreen/release";
import { reach } from "@bluegreen/release/clusters/together";
import type { ErrorCode } from "@bluegreen/release/util/errorCodes";
import { errorCodeOf } from "@bluegreen/release/util/userError";
import { placesOf } from "@bluegreen/release/config/settings";
import type { FlatSettings } from "@bluegreen/release/config/schema";
import { exitCodes } from "./exitCodes";
import { app } from "./stackConfig";

/** Where the app of a stack is, as a command names and reaches it. */
export interface Place {
  /** Of the cluster; undefined where the stack has only one. */
  name: string | undefined;
  where: ClusterRef & { app: string };
}

/** What came of it in one cluster. */
export type Outcome<T> =
  | { name: string | undefined; value: T }
  | { name: string | undefined; error: string; code: ErrorCode | undefined };

/**
 * The clusters of a stack, or the one that is asked for.
 * @throws UserError when there is none of that name
 */
export function clustersOf(
  settings: Pick<FlatSettings, "context" | "clusters" | "namespace" | "namespacePerColor">,
  only: string | undefined,
): Place[] {
  const { namespace, namespacePerColor } = settings;
  const places = placesOf(settings).map(({ context, together }) => ({
    name: together?.name,
    where: { context, namespace, namespacePerColor, app },
  }));
  return chosenFrom(places, ({ name }) => name, only);
}

/**
 * All of what there is of each cluster, or that of the one which is asked for.
 * @throws UserError when there is none of that name
 */
export function chosenFrom<T>(
  all: readonly T[],
  nameOf: (each: T) => string | undefined,
  only: string | undefined,
): T[] {
  const chosen = all.filter((each) => only === undefined || nameOf(each) === only);
  if (chosen.length > 0) return chosen;
  const known = all.flatMap((each) => nameOf(each) ?? []).join(", ");
  throw new UserError({
    code: "BG-OPTION-INVALID",
    what: `--cluster ${only} was refused`,
    rule:
      known === "" ? "this stack has one cluster, without a name" : `the clusters of this stack are ${known}`,
    next: known === "" ? "leave --cluster out" : `--cluster ${known.split(", ")[0]}`,
  });
}

/**
 * Does it in all of them at once. One that is away keeps no other from it; where there is only one, its error
 * is the command's.
 */
export function inEach<T>(
  places: Place[],
  work: (cluster: Cluster, place: Place) => Promise<T>,
): Promise<Outcome<T>[]> {
  return Promise.all(
    places.map(async (place): Promise<Outcome<T>> => {
      const { name, where } = place;
      if (name === undefined) return { name, value: await work(connect(where), place) };
      try {
        return { name, value: await work(await reach({ name, context: where.context }, where), place) };
      } catch (error) {
        return { name, error: messageOf(error), code: errorCodeOf(error) };
      }
    }),
  );
}

export function succeeded<T>(outcomes: Outcome<T>[]): { name: string | undefined; value: T }[] {
  return outcomes.flatMap((each) => ("value" in each ? [each] : []));
}

/**
 * Says what failed, and where.
 * @returns the exit code for it; undefined where nothing did
 */
export function sayFailures(outcomes: Outcome<unknown>[]): number | undefined {
  const away = failed(outcomes);
  for (const { error } of away) console.error(error);
  if (away.length === 0) return undefined;
  return away.length < outcomes.length ? exitCodes.partly : exitCodes.usage;
}

export function failed<T>(
  outcomes: Outcome<T>[],
): { name: string | undefined; error: string; code: ErrorCode | undefined }[] {
  return outcomes.flatMap((each) => ("error" in each ? [each] : []));
}
