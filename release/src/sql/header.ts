import { UserError } from "../util/userError.js";

export const phases = ["expand", "backfill", "contract"] as const;
export type Phase = (typeof phases)[number];

/** A rule of the linter that does not apply to this file, and why. */
export interface Assurance {
  rule: string;
  reason: string;
  line: number;
}

/**
 * The table that a backfill walks through, and the columns of its primary key, whose order it follows. Of a
 * key with several, each end of a batch is a row: `-- batch: seats by event, number` goes with `WHERE (event,
 * number) BETWEEN :first AND :last`.
 */
export interface Batch {
  table: string;
  key: [string, ...string[]];
}

/** What a migration says about itself, in the comment lines at its top. */
export interface MigrationHeader {
  phase: Phase;
  /** False: statement by statement, for what PostgreSQL refuses inside a transaction. */
  transaction: boolean;
  /** There is no rollback, by nature. */
  irreversible: boolean;
  assurances: Assurance[];
  /** Only in phase backfill. */
  batch?: Batch;
}

/** A comment that means to say something to the runner, spelled right or not. Anything else is for people. */
const meant = /^((phase|batch)\s*[:=]|assure\b|no[-_ ]?transaction\W*$|irreversible\W*$)/i;
const batchForm = /^batch: (\S+) by ([^\s,]+)((?:, *[^\s,]+)*)$/;
const assureForm = /^assure ([\w-]+): (.+)$/;

/**
 * Reads the header of a migration: its comment lines before the first statement.
 * @param mark what begins a comment: `//` in TypeScript
 * @throws UserError naming the file, the line, the value and the rule
 */
export function parseHeader(file: string, sql: string, mark: "--" | "//" = "--"): MigrationHeader {
  const header: Omit<MigrationHeader, "phase"> & { phase?: Phase } = {
    transaction: true,
    irreversible: false,
    assurances: [],
  };
  const seen = new Set<string>();
  for (const [line, text] of headerLines(sql, mark)) {
    if (!meant.test(text)) continue;
    const refuse = (rule: string, next: string) =>
      new UserError({
        code: "BG-MIGRATION-HEADER-INVALID",
        what: `${file}:${line}: "${mark} ${text}" was refused`,
        rule,
        next,
      });
    const word = /^[\w-]+/.exec(text)?.[0] ?? "";
    if (word !== "assure" && seen.has(word)) throw refuse(`"${word}" is said once`, "keep one of the lines");
    seen.add(word);

    const phase = /^phase: (.*)$/.exec(text)?.[1];
    const [, table, key, moreKey = ""] = batchForm.exec(text) ?? [];
    const [, rule, reason] = assureForm.exec(text) ?? [];
    if (phase !== undefined) {
      if (!isPhase(phase)) throw refuse(`a phase is ${phases.join(", ")}`, `${mark} phase: expand`);
      header.phase = phase;
    } else if (table !== undefined && key !== undefined)
      header.batch = {
        table,
        key: [
          key,
          ...moreKey
            .split(",")
            .slice(1)
            .map((column) => column.trim()),
        ],
      };
    else if (rule !== undefined && reason !== undefined) header.assurances.push({ rule, reason, line });
    else if (text === "no-transaction") header.transaction = false;
    else if (text === "irreversible") header.irreversible = true;
    else
      throw refuse(
        "a header line has exactly one of the forms below",
        [
          `phase: ${phases.join("|")}`,
          "no-transaction",
          "irreversible",
          "assure RULE: reason",
          "batch: TABLE by KEY[, KEY]",
        ]
          .map((line) => `${mark} ${line}`)
          .join(", "),
      );
  }
  const { phase, ...rest } = header;
  if (phase === undefined) {
    throw new UserError({
      code: "BG-MIGRATION-HEADER-INVALID",
      what: `${file}:1: the header has no phase`,
      rule: "the comment lines before the first statement say when it is applied",
      next: `${mark} phase: ${phases.join("|")}`,
    });
  }
  if (rest.batch !== undefined && phase !== "backfill") {
    throw new UserError({
      code: "BG-MIGRATION-HEADER-INVALID",
      what: `${file}:1: "${mark} batch" was refused in phase ${phase}`,
      rule: "only a backfill goes in batches",
      next: `${mark} phase: backfill, in a file of its own`,
    });
  }
  return { phase, ...rest };
}

function headerLines(sql: string, mark: "--" | "//"): [line: number, text: string][] {
  const lines = sql.split(/\r?\n/);
  const end = lines.findIndex((line) => line.trim() !== "" && !line.trim().startsWith(mark));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line, index) => [index + 1, line.trim().slice(mark.length).trim()]);
}

function isPhase(value: string): value is Phase {
  return phases.some((phase) => phase === value);
}
