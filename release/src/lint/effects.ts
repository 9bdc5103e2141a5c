/** PostgreSQL's locks on a table that stop somebody. */
type Lock = "ACCESS EXCLUSIVE" | "SHARE ROW EXCLUSIVE" | "SHARE" | "ROW EXCLUSIVE" | "ROW SHARE";

/** What a rule's example does to the table, as PostgreSQL itself shows it. */
interface Effect {
  /** Held to the end of the transaction. */
  lock: Lock;
  /** SQL without which the example does nothing. */
  given?: string;
  /** What is done with all rows while it is held. */
  work?: "rewritten" | "read";
  /**
   * About how long that takes for a million rows, in seconds, on two busy cores and PostgreSQL 15, or the
   * newest where 15 has no such statement: npm run bench:lint.
   */
  seconds?: number;
  /** Otherwise every version that is supported. */
  versions?: string;
}

const stops: Record<Lock, string> = {
  "ACCESS EXCLUSIVE": "stops reads and writes",
  "SHARE ROW EXCLUSIVE": "stops writes",
  SHARE: "stops writes",
  "ROW EXCLUSIVE": "stops writes of the rows it has changed",
  "ROW SHARE": "stops writes of the rows it has locked",
};

/** By rule. One that is missing is about what the live version asks for, not about locks. */
export const effects: Readonly<Partial<Record<string, Effect>>> = {
  "rename-column": { lock: "ACCESS EXCLUSIVE" },
  "rename-table": { lock: "ACCESS EXCLUSIVE" },
  "rename-constraint": { lock: "ACCESS EXCLUSIVE" },
  "rename-trigger": { lock: "ACCESS EXCLUSIVE" },
  "drop-column": { lock: "ACCESS EXCLUSIVE" },
  "drop-table": { lock: "ACCESS EXCLUSIVE" },
  "drop-trigger": { lock: "ACCESS EXCLUSIVE" },
  "drop-policy": { lock: "ACCESS EXCLUSIVE" },
  "drop-constraint": { lock: "ACCESS EXCLUSIVE" },
  "drop-index": { lock: "ACCESS EXCLUSIVE" },
  "volatile-default": {
    lock: "ACCESS EXCLUSIVE",
    work: "rewritten",
    seconds: 10,
    versions: "a default that is the same for every row rewrote it before 11, too",
  },
  "stored-generated-column": {
    lock: "ACCESS EXCLUSIVE",
    work: "rewritten",
    seconds: 9,
    versions: "from 12 on; 18 has VIRTUAL, which rewrites nothing",
  },
  "change-generated-column": {
    lock: "ACCESS EXCLUSIVE",
    given: "ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (total * 1.19) STORED",
    work: "rewritten",
    seconds: 8,
    versions: "from 17 on",
  },
  "serial-column": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 11 },
  "domain-column": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 7 },
  "set-not-null": {
    lock: "ACCESS EXCLUSIVE",
    work: "read",
    seconds: 0.7,
    versions: "a validated CHECK is a proof from 12 on",
  },
  "drop-not-null": { lock: "ACCESS EXCLUSIVE" },
  "change-type": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 9 },
  "change-default": { lock: "ACCESS EXCLUSIVE" },
  "drop-default": { lock: "ACCESS EXCLUSIVE" },
  "drop-identity": { lock: "ACCESS EXCLUSIVE" },
  "validated-foreign-key": { lock: "SHARE ROW EXCLUSIVE", work: "read", seconds: 0.9 },
  "foreign-key-before-contract": {
    lock: "SHARE ROW EXCLUSIVE",
    versions: "on a partitioned table NOT VALID is there from 18 on",
  },
  "validated-check": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.3 },
  "check-before-contract": { lock: "ACCESS EXCLUSIVE" },
  "unique-constraint": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 2.7 },
  "primary-key-using-index": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.4 },
  "exclusion-constraint": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 260 },
  "alter-constraint": { lock: "ACCESS EXCLUSIVE" },
  "enforce-constraint": {
    lock: "ACCESS EXCLUSIVE",
    given:
      "UPDATE orders SET payer = customer; ALTER TABLE orders ALTER CONSTRAINT orders_payer_fkey NOT ENFORCED",
    work: "read",
    seconds: 0.3,
    versions: "from 18 on",
  },
  "validate-in-same-transaction": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.3 },
  "domain-scan": {
    lock: "SHARE",
    work: "read",
    seconds: 0.4,
    versions: "from 18 on, VALIDATE CONSTRAINT stops no writes",
  },
  "create-index": { lock: "SHARE", work: "read", seconds: 1.1 },
  reindex: {
    lock: "ACCESS EXCLUSIVE",
    work: "read",
    seconds: 5,
    versions: "CONCURRENTLY is there from 12 on",
  },
  "detach-partition": { lock: "ACCESS EXCLUSIVE", versions: "CONCURRENTLY is there from 14 on" },
  "create-partition": { lock: "ACCESS EXCLUSIVE" },
  "attach-partition": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.7 },
  "change-inheritance": { lock: "ACCESS EXCLUSIVE" },
  "unbounded-update": { lock: "ROW EXCLUSIVE", work: "rewritten", seconds: 50 },
  "unbounded-delete": { lock: "ROW EXCLUSIVE", work: "read", seconds: 2 },
  "unbounded-row-locks": { lock: "ROW SHARE", work: "read", seconds: 3 },
  "backfill-with-ddl": { lock: "ACCESS EXCLUSIVE" },
  "work-under-lock": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.1 },
  "several-tables": { lock: "ACCESS EXCLUSIVE" },
  "lock-table": { lock: "ACCESS EXCLUSIVE" },
  truncate: { lock: "ACCESS EXCLUSIVE" },
  "vacuum-full": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 3 },
  cluster: { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 5 },
  "refresh-view": { lock: "ACCESS EXCLUSIVE" },
  "rewrite-table": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 1.7 },
  "set-schema": { lock: "ACCESS EXCLUSIVE" },
  "enable-rls": { lock: "ACCESS EXCLUSIVE" },
  "disable-rls": { lock: "ACCESS EXCLUSIVE" },
  "change-policy": { lock: "ACCESS EXCLUSIVE" },
  "create-rule": { lock: "ACCESS EXCLUSIVE" },
  "disable-trigger": { lock: "SHARE ROW EXCLUSIVE" },
  "change-owner": { lock: "ACCESS EXCLUSIVE" },
  "set-generated-always": { lock: "ACCESS EXCLUSIVE" },
  "replica-identity": { lock: "ACCESS EXCLUSIVE" },
};

/** The lock, who waits, for how long, and where; undefined for a rule that is not about locks. */
export function effectOf(rule: string): string | undefined {
  const effect = effects[rule];
  if (effect === undefined) return undefined;
  const { lock, work, seconds, versions } = effect;
  const whole =
    work === undefined
      ? "to the end of the transaction"
      : `until all rows are ${work}${seconds === undefined ? "" : `, about ${seconds} s for a million`}`;
  return `${lock} lock, which ${stops[lock]}, ${whole}; ${versions === undefined ? "all PostgreSQL versions" : `PostgreSQL: ${versions}`}`;
}
