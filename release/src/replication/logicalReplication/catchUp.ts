import { DeadlineError, poll } from "../../util/poll.js";
import { UserError } from "../../util/userError.js";
import { mark, whatIsMissing } from "./slot.js";
import { thisDatabase, type Direction, type PairOptions } from "./side.js";
import { subscriptionName } from "./subscription.js";

/** How long between two lines for who waits, in milliseconds. */
const sayEveryMs = 10_000;

/** A worker that failed starts again after 5 s. Twice without getting further is not a passing trouble. */
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
