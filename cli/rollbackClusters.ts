import { otherColor, readLiveColor, UserError, type Color } from "@bluegreen/release";
import { rollbackSettings } from "@bluegreen/release/config/analysisSettings";
import { askedDatabase } from "@bluegreen/release/migrations/ownMigrations";
import { rollback } from "@bluegreen/release/rollback/rollback";
import type { FlatSettings } from "@bluegreen/release/config/schema";
import type { Settings } from "@bluegreen/release/config/settings";
import type { Say } from "@bluegreen/release/util/step";
import { clustersOf, failed, inEach, succeeded } from "./clusters";
import { exitCodes } from "./exitCodes";
import { jsonText, printError } from "./print";
import { bringInLine } from "./update";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

export interface ClustersRollback {
  settings: Pick<
    FlatSettings,
    | "activeColor"
    | "clusters"
    | "context"
    | "namespace"
    | "namespacePerColor"
    | "database"
    | "databaseSecret"
    | "migrationsDir"
    | "schemaVersion"
    | "contractMigration"
    | "connectionDrain"
    | "preStopDelaySeconds"
    | "traffic"
  > &
    Pick<Settings, "followers">;
  stack: string;
  /** The one that is asked for. */
  only: string | undefined;
  why: string;
  trafficOnly: boolean;
  fewer: boolean;
  json: boolean;
  say: Say;
  /** @throws UserError unless somebody says yes */
  confirm: (question: string) => Promise<void>;
}

/**
 * Rolls back several clusters, all of them at once: what keeps one from it keeps no other.
 * @returns the exit code
 */
export async function rollbackClusters({
  settings,
  stack,
  only,
  why,
  trafficOnly,
  fewer,
  json,
  say,
  confirm,
}: ClustersRollback): Promise<number> {
  const { databaseSecret } = settings;
  const { runIn } = settings.database;
  const strategy = askedDatabase(settings) ?? "none";
  const places = clustersOf(settings, only);
  const read = await inEach(places, async (cluster, { where }) => ({
    where,
    live: await readLiveColor(cluster, where.app),
  }));
  const serving = succeeded(read).flatMap(({ name, value: { where, live } }) =>
    live === undefined ? [] : [{ name, where, live }],
  );
  const from = whereFrom(
    serving.map(({ live }) => live),
    settings.activeColor,
  );
  if (from === undefined)
    throw new UserError({
      code: "BG-ROLLBACK-NOT-POSSIBLE",
      what: "Nothing was moved",
      rule:
        failed(read)
          .map(({ error }) => error)
          .join("\n        ") || "no cluster has an active Service yet",
      next: "kubectl config get-contexts, then again",
    });
  const to = otherColor(from);
  await confirm(
    `Traffic is on ${serving.map(({ name, live }) => `${live} in ${name}`).join(", ")}. Move it to ${to}?`,
  );

  const there = new Set(serving.filter(({ live }) => live === to).map(({ name }) => name));
  const moving = places.filter(({ name }) =>
    serving.some((each) => each.name === name && each.live === from),
  );
  const moved = await inEach(moving, (_cluster, { name, where }) =>
    rollback(
      where,
      { from, why, strategy, databaseSecret, runIn, settings: rollbackSettings(settings), fewer },
      (line) => {
        say(`${name}: ${line}`);
      },
    ),
  );
  for (const name of there) say(`${name}: traffic is on ${to} already.`);
  for (const {
    name,
    value: { seconds, image },
  } of succeeded(moved))
    say(`${name}: traffic is on ${to} (${image}): ${seconds.toFixed(2)} s.`);
  const stuck = [...failed(read), ...failed(moved)];
  for (const { name, error } of stuck)
    printError(
      `${name}: traffic was NOT moved: ${error}\n  then: ${bluegreen} rollback --cluster ${name} --stack ${stack}`,
    );

  const rest =
    only === undefined
      ? []
      : await inEach(
          clustersOf(settings, undefined).filter(({ name }) => name !== only),
          (cluster, { where }) => readLiveColor(cluster, where.app),
        );
  const isWhole = stuck.length === 0 && rest.every((each) => "value" in each && each.value === to);
  const inLine = isWhole && !trafficOnly ? await bringInLine(stack, { activeColor: to }, say) : undefined;
  if (json)
    console.log(
      jsonText({
        from,
        to,
        why,
        moved: succeeded(moved).map(({ name, value }) => ({ cluster: name, ...value })),
        already: [...there],
        failed: stuck.map(({ name, error, code }) => ({ cluster: name, error, code })),
        configInLine: inLine ?? false,
      }),
    );
  else
    say(
      inLine === true
        ? "Config says the same, and the state agrees."
        : `Config still says what it said, and the next pulumi up does that in every cluster. Once traffic of all of them is to be on ${to}:\n  pulumi config set activeColor ${to} --stack ${stack} && pulumi up --stack ${stack}`,
    );
  if (stuck.length > 0) return succeeded(moved).length + there.size > 0 ? exitCodes.partly : exitCodes.usage;
  return inLine === false ? exitCodes.findings : exitCodes.clean;
}

/**
 * Where clusters do not agree, a release has ended in the middle: it was to move traffic to config's active
 * color.
 */
function whereFrom(live: Color[], activeColor: Color): Color | undefined {
  return new Set(live).size > 1 ? activeColor : live[0];
}
