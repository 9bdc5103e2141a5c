import { printable } from "../../sql/tree.js";
import { identifier, joinName } from "./target.js";
import type { RenamePlan } from "./plan.js";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../../util/userError.js";

/** A migration file that is not written yet. */
export interface GeneratedFile {
  /** Name without folder. */
  file: string;
  sql: string;
}

/**
 * The migrations of a rename, in order.
 * @param firstId the next free id of the folder; the digits are kept
 */
export function renameFiles(plan: RenamePlan, firstId: string): GeneratedFile[] {
  const { table, column } = plan.target;
  const steps = [...expand(plan), ...contract(plan)];
  return steps.map(({ name, header, why, sql }, index) => {
    const id = String(Number(firstId) + index).padStart(firstId.length, "0");
    const title = `Rename of ${table}.${column} to ${plan.newName}, ${index + 1} of ${steps.length}: `;
    const comments = [...header, ...`${title}${why}`.split("\n")].map((line) => `-- ${line}\n`).join("");
    return {
      file: `${id}_${joinName("rename", slug(table), slug(column), "to", slug(plan.newName), name)}.sql`,
      sql: `${comments}${sql}\n`,
    };
  });
}

interface Step {
  /** Ends the file's name. */
  name: string;
  header: string[];
  /** For the reviewer; lines. */
  why: string;
  sql: string;
}

function expand(plan: RenamePlan): Step[] {
  const { table, dualWrite, oldName, newName } = sqlNames(plan);
  const { type } = plan.column;
  const both: Step = {
    name: "expand",
    header: ["phase: expand"],
    why: `both columns, kept equal by a trigger.
The new one has no default, so that NULL tells the trigger that an INSERT did not name it.
The trigger's name sorts last: it sees what other triggers of the table have made of the row.`,
    sql: `ALTER TABLE ${table} ADD COLUMN ${newName} ${type};

CREATE FUNCTION ${dualWrite}() RETURNS trigger LANGUAGE plpgsql AS $dual_write$
BEGIN
  -- *= compares records as they are stored; = takes values for equal that differ, such as 1.0 and 1.00.
  IF TG_OP = 'INSERT' THEN
    NEW.${newName} := coalesce(NEW.${newName}, NEW.${oldName});
  ELSIF ROW(NEW.${newName})::record *= ROW(OLD.${newName})::record THEN
    NEW.${newName} := NEW.${oldName};
  END IF;
  NEW.${oldName} := NEW.${newName};
  RETURN NEW;
END
$dual_write$;

CREATE TRIGGER ${identifier(triggerName(plan))} BEFORE INSERT OR UPDATE ON ${table}
  FOR EACH ROW EXECUTE FUNCTION ${dualWrite}();`,
  };
  const key = identifier(plan.key);
  const backfill: Step = {
    name: "backfill",
    header: ["phase: backfill", `batch: ${table} by ${plan.key}`],
    why: "the rows from before the trigger.",
    sql: `UPDATE ${table} SET ${newName} = ${oldName} WHERE ${key} BETWEEN :first AND :last AND ROW(${newName})::record *<> ROW(${oldName})::record;`,
  };
  const indexes = plan.indexes.map(({ name, columns, like, bindsNewColumn }, number): Step => ({
    name: `index_${number + 1}`,
    header: [
      "phase: expand",
      "no-transaction",
      ...(bindsNewColumn
        ? ["assure unique-before-contract: both columns are kept equal, and the old one is unique already"]
        : []),
    ],
    why: `what ${printable(like.name)} is for the old column.`,
    sql: `CREATE ${like.unique ? "UNIQUE " : ""}INDEX CONCURRENTLY ${identifier(name)} ON ${table}${like.method === "btree" ? "" : ` USING ${like.method}`} (${columns.map(identifier).join(", ")});`,
  }));
  return [both, backfill, ...indexes];
}

function contract(plan: RenamePlan): Step[] {
  const { table, dualWrite, oldName, newName } = sqlNames(plan);
  const { notNull, default: given } = plan.column;
  const check = identifier(joinName(plan.target.table, plan.newName, "not_null"));
  const proof: Step[] = [
    {
      name: "check",
      header: ["phase: contract"],
      why: "NOT NULL for the new column, first as a promise for new rows.",
      sql: `ALTER TABLE ${table} ADD CONSTRAINT ${check} CHECK (${newName} IS NOT NULL) NOT VALID;`,
    },
    {
      name: "validate",
      header: ["phase: contract"],
      why: "the promise proved for all rows, in a transaction of its own, which holds up nobody.",
      sql: `ALTER TABLE ${table} VALIDATE CONSTRAINT ${check};`,
    },
  ];
  const constraints = plan.indexes
    .filter(({ like }) => like.isConstraint)
    .map(({ name }) => identifier(name));
  const takeOver = [
    // One after the other: in one ALTER TABLE the constraint goes first, and with it the proof.
    ...(notNull
      ? [
          `ALTER TABLE ${table} ALTER COLUMN ${newName} SET NOT NULL;`,
          `ALTER TABLE ${table} DROP CONSTRAINT ${check};`,
        ]
      : []),
    ...(given === undefined ? [] : [`ALTER TABLE ${table} ALTER COLUMN ${newName} SET DEFAULT ${given};`]),
    ...constraints.map((name) => `ALTER TABLE ${table} ADD CONSTRAINT ${name} UNIQUE USING INDEX ${name};`),
  ];
  const end: Step = {
    name: "contract",
    header: ["phase: contract", "irreversible"],
    why: "only the new column is left, with all that the old one had.",
    sql: [
      `DROP TRIGGER ${identifier(triggerName(plan))} ON ${table};`,
      `DROP FUNCTION ${dualWrite}();`,
      ...takeOver,
      `ALTER TABLE ${table} DROP COLUMN ${oldName};`,
    ].join("\n"),
  };
  return [...(notNull ? proof : []), end];
}

function sqlNames(plan: RenamePlan): Record<"table" | "dualWrite" | "oldName" | "newName", string> {
  const { schema, table, column } = plan.target;
  const within = schema === undefined ? "" : `${identifier(schema)}.`;
  return {
    table: within + identifier(table),
    dualWrite: within + identifier(triggerName(plan)),
    oldName: identifier(column),
    newName: identifier(plan.newName),
  };
}

/** Of the function, too. */
function triggerName({ target, newName }: RenamePlan): string {
  return joinName("zz_dual_write", target.table, target.column, newName);
}

/** For a file's name, which has lower-case letters, digits and underscores. */
function slug(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "_");
}

/**
 * Writes all of the files or none.
 * @returns their paths
 * @throws UserError when one is there already, or cannot be written
 */
export function writeFiles(folder: string, files: GeneratedFile[]): string[] {
  const written: string[] = [];
  for (const { file, sql } of files) {
    const path = join(folder, file);
    try {
      writeFileSync(path, sql, { flag: "wx" });
      written.push(path);
    } catch (error) {
      for (const each of written) rmSync(each);
      throw new UserError(
        {
          code: "BG-FILE-NOT-WRITTEN",
          what: `${path} was not written, and no other file`,
          rule: messageOf(error),
          next: "correct the cause, then the same command again",
        },
        { cause: error },
      );
    }
  }
  return written;
}
