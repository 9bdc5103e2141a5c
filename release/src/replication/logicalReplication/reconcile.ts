import type { DatabasePair } from "../../databases/colorDatabases.js";
import { shellWord } from "../../util/bluegreenCommand.js";
import { DeadlineError, poll } from "../../util/poll.js";
import { UserError } from "../../util/userError.js";
import {
  allowWrites,
  refusesWrites,
  refuseWrites,
  withPair,
  thisDatabase,
  type PairOptions,
  type Sides,
  type Direction,
} from "./side.js";
import {
  activate,
  drop,
  subscriptionState,
  wouldReturn,
  subscribe,
  mark,
  whatIsMissing,
  subscriptionName,
  refresh,
} from "./subscription.js";
import {
  copySequences,
  publish,
  notReplicated,
  refuseDifferences,
  refuseUnreplicable,
  filled,
  replicatedTables,
} from "./tables.js";

export interface LossOptions extends PairOptions {
  /** Continues without what cannot be replicated any more. Somebody has to have said so. */
  allowDataLoss?: boolean;
}

/**
 * To be called after the active Service was switched, and at any other time, also after a handover
 * that was killed: the database of the live color alone takes writes, the other one follows it, and
 * no slot is left that nobody reads.
 * @throws UserError when the live color's database lacks writes of the other one; both then stay as they are
 */
export async function reconcile(pair: DatabasePair, options: LossOptions): Promise<void> {
  await withPair(pair, "The databases were not reconciled", options.budgetMs, (sides) =>
    reconcileSides(sides, options),
  );
}

/**
 * Makes the idle color's database a copy of the live one that follows it from then on, and refuses
 * everybody else's writes to it. The migrations have run on both. Can be killed and called again at
 * any point: a copy that has begun continues.
 * @throws UserError when the databases differ, cannot be replicated, or the idle one is not there in time
 */
export async function sync(pair: DatabasePair, options: PairOptions): Promise<void> {
  await withPair(pair, "The databases were not synchronised", options.budgetMs, async (sides) => {
    const { live, idle } = sides;
    const direction = { from: live, to: idle };
    await refuseDifferences(sides);
    await refuseUnreplicable(live);
    await reconcileSides(sides, options);
    const left = await notReplicated(live);
    if (left.length > 0) options.say(`PostgreSQL does not replicate these: ${left.join(", ")}`);
    await publish(live);
    await refuseFilled(direction);
    if ((await subscriptionState(direction)) === "active") await refresh(direction);
    else await subscribe(direction, "active");
    await catchUp(direction, options);
  });
}

/** What is to be copied must be empty: nothing is ever overwritten. */
async function refuseFilled(direction: Direction): Promise<void> {
  const { to } = direction;
  const { rows } = await to.session.query<{ oid: number }>(
    "SELECT srrelid AS oid FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = $1",
    [subscriptionName(direction)],
  );
  const known = new Set(rows.map(({ oid }) => oid));
  const tables = (await replicatedTables(to)).filter(({ oid }) => !known.has(oid)).map(({ name }) => name);
  const inTheWay = await filled(to, tables);
  if (inTheWay.length === 0) return;
  throw new UserError({
    code: "BG-IDLE-DATABASE-NOT-EMPTY",
    what: `The database of ${to.color} was not overwritten: it has rows of its own in ${inTheWay.join(", ")}`,
    rule: `these tables do not follow ${direction.from.color} yet, and are copied from it as a whole`,
    next: `if nobody needs them: psql "$URL_OF_${to.color.toUpperCase()}" -c "SET default_transaction_read_only = off" -c ${shellWord(`TRUNCATE ${tables.join(", ")}`)}; then pulumi up`,
  });
}

/**
 * Makes everything follow the color that is live, from whatever was left behind: its database alone takes
 * writes, and the replication goes from it to the other one. Can be killed and called again at any point.
 */
export async function reconcileSides(
  { live, idle }: Sides,
  { allowDataLoss = false, ...options }: LossOptions,
): Promise<void> {
  const forward = { from: live, to: idle };
  const back = { from: idle, to: live };
  await refuseWrites(idle);
  if ((await subscriptionState(back)) === "active") {
    // The last writes of the color that was live until now.
    const lost = await catchUp(back, options).then(
      () => false,
      (error: unknown) => {
        if (!allowDataLoss || !(error instanceof UserError)) throw error;
        options.say(`continuing without what is missing, as was accepted: ${error.message}`);
        return true;
      },
    );
    const switchedAlone = await refusesWrites(live);
    // Before the subscription goes, and with it the memory of what it has applied.
    if (lost) await drop(forward);
    // The traffic was switched without a handover: what it would have done, late.
    else if (switchedAlone) await prepareWay(forward);
    else if (await wouldReturn(forward, back)) {
      options.say(
        `${idle.color} took writes after the switch: they are on ${live.color} now, and there is no rollback until ${idle.color} is copied again`,
      );
      await drop(forward);
    }
    if (switchedAlone) await copySequences(back);
  }
  await allowWrites(live);
  await drop(back);
  if ((await subscriptionState(forward)) === "none") await drop(forward);
  else await activate(forward);
}

/**
 * From here on keeps what is written on one side, to bring it to the other one once that has stopped writing.
 */
export async function prepareWay(direction: Direction): Promise<void> {
  await drop(direction);
  await publish(direction.from);
  await subscribe(direction, "prepared");
}

/** How long between two lines for who waits, in milliseconds. */
const sayEveryMs = 10_000;

/** A worker that failed starts again after 5 s. Twice without getting further is not a passing problem. */
const failuresAllowed = 1;

type Progress = {
  /** Null while no worker runs. */
  worker: number | null;
  /** The place in the publisher's log up to which everything is applied has come to the mark. */
  reached: boolean;
  /** The last commit that it applied, to see whether it gets further. */
  at: string | null;
  tables: number;
  /** Tables whose rows are not all copied yet. */
  copying: string[];
  copiedRows: string;
  failures: string;
  /** When it last heard that it had everything up to some place. */
  inStep: string | null;
};

/**
 * Waits until everything that was committed when it was called is applied, and survives a crash there.
 * @param options.intervalMs pause between two polls @default 250
 * @throws UserError when it is not in time, or cannot be
 */
export async function catchUp(
  direction: Direction,
  { say, budgetMs, intervalMs = 250 }: PairOptions & { intervalMs?: number },
): Promise<void> {
  const { from, to } = direction;
  const target = await mark(from);
  let first: Progress | undefined;
  let last: Progress | undefined;
  let saidAt = performance.now();
  try {
    await poll(
      async () => {
        last = await readProgress(direction, target);
        // A failure counts as long as nothing has got further since.
        if (first === undefined || first.at !== last.at || first.copiedRows !== last.copiedRows) first = last;
        if (Number(last.failures) - Number(first.failures) > failuresAllowed)
          throw new DeadlineError("its worker fails again and again");
        if (performance.now() - saidAt > sayEveryMs) {
          saidAt = performance.now();
          say(
            `${from.color} → ${to.color}: ${last.copying.length > 0 ? `${last.tables - last.copying.length} of ${last.tables} tables copied, ${last.copiedRows} rows of the next` : `behind by ${await whatIsMissing(direction)}`}`,
          );
        }
        return last.reached && last.copying.length === 0 ? true : undefined;
      },
      { timeoutMs: budgetMs, intervalMs },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw await behind(direction, last, error);
  }
  // The worker does not wait for its disk: a commit that does takes everything before it along.
  await mark(to);
}

async function readProgress(direction: Direction, target: string): Promise<Progress> {
  const { rows } = await direction.to.session.query<Progress>(
    `SELECT w.pid AS worker, coalesce(w.latest_end_lsn >= $2::pg_lsn, false) AS reached, (SELECT o.remote_lsn::text FROM pg_replication_origin_status o WHERE o.external_id = 'pg_' || s.oid) AS at,
            (SELECT count(*)::int FROM pg_subscription_rel r WHERE r.srsubid = s.oid) AS tables,
            array(SELECT r.srrelid::regclass::text FROM pg_subscription_rel r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r' ORDER BY 1) AS copying,
            (SELECT coalesce(sum(tuples_processed), 0) FROM pg_stat_progress_copy WHERE datname = current_database()) AS "copiedRows",
            (SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats t WHERE t.subid = s.oid) AS failures,
            w.latest_end_time::text AS "inStep"
       FROM pg_subscription s LEFT JOIN pg_stat_subscription w ON w.subid = s.oid AND w.relid IS NULL
      WHERE s.subname = $1 AND s.subdbid = ${thisDatabase}`,
    [subscriptionName(direction), target],
  );
  return (
    rows[0] ?? {
      worker: null,
      reached: false,
      at: null,
      tables: 0,
      copying: [],
      copiedRows: "0",
      failures: "0",
      inStep: null,
    }
  );
}

async function behind(direction: Direction, last: Progress | undefined, cause: Error): Promise<UserError> {
  const { from, to } = direction;
  const failed = Number(last?.failures ?? 0);
  const observed = [
    cause.message,
    `missing: ${await whatIsMissing(direction)}`,
    ...(last !== undefined && last.copying.length > 0 ? [`not copied yet: ${last.copying.join(", ")}`] : []),
    ...(last?.worker == null
      ? ["no worker runs"]
      : [`last in step at ${last.inStep ?? "no time since it began"}`]),
    ...(failed > 0
      ? [
          `it has failed ${failed} times: often a row that somebody wrote on ${to.color}, or a column that only ${from.color} has`,
        ]
      : []),
  ];
  return new UserError(
    {
      code: "BG-REPLICATION-BEHIND",
      what: `The database of ${to.color} does not have everything that ${from.color} has`,
      rule: observed.join("; "),
      next: `search for "${subscriptionName(direction)}" and the lines before it in the log of the server of ${to.color}: PostgreSQL says there which row or column it is; correct it there (after SET default_transaction_read_only = off), then pulumi up`,
    },
    { cause },
  );
}
