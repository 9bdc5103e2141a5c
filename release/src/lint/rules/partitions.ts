import type { Node, PartitionBoundSpec, RangeVar } from "libpg-query";
import { quoted, quotedRelation, strings, conjuncts, sameText } from "../../sql/tree.js";
import { inTurn, migration, words } from "../recipe.js";
import { allPhases, beforeContract, type Command, type Rule, type Statement } from "../rule.js";

function isUnbounded(datum: Node): boolean {
  return "ColumnRef" in datum;
}

/** The conditions that a range or a list of one column puts on its partition. */
interface Bound {
  lower: Node | undefined;
  upper: Node | undefined;
  list: Node[] | undefined;
}

function boundOf(bound: PartitionBoundSpec | undefined): Bound | undefined {
  if (bound?.strategy === "l" && bound.is_default !== true)
    return { lower: undefined, upper: undefined, list: bound.listdatums };
  const [lower, ...moreLower] = bound?.lowerdatums ?? [];
  const [upper, ...moreUpper] = bound?.upperdatums ?? [];
  if (lower === undefined || upper === undefined || moreLower.length + moreUpper.length > 0) return undefined;
  return {
    lower: isUnbounded(lower) ? undefined : lower,
    upper: isUnbounded(upper) ? undefined : upper,
    list: undefined,
  };
}

/** Whether a validated CHECK says of every row what the partition says: ATTACH then reads none. */
function isProved(
  partition: RangeVar | undefined,
  column: string | undefined,
  spec: PartitionBoundSpec | undefined,
  { known }: Statement,
): boolean {
  const bound = boundOf(spec);
  if (bound === undefined || column === undefined || !known.isNeverNull(partition, column)) return false;
  const conditions = [...(known.table(partition)?.checks.values() ?? [])]
    .filter(({ isValidated }) => isValidated)
    .flatMap(({ expression }) => conjuncts(expression));
  const compares = (operator: string, datum: Node | undefined) =>
    conditions.some(
      (each) =>
        "A_Expr" in each &&
        each.A_Expr.kind === "AEXPR_OP" &&
        strings(each.A_Expr.name)[0] === operator &&
        isColumn(each.A_Expr.lexpr, column) &&
        sameText(each.A_Expr.rexpr, datum),
    );
  if (bound.list !== undefined) {
    const values = bound.list;
    return conditions.some(
      (each) =>
        "A_Expr" in each &&
        each.A_Expr.kind === "AEXPR_IN" &&
        strings(each.A_Expr.name)[0] === "=" &&
        isColumn(each.A_Expr.lexpr, column) &&
        each.A_Expr.rexpr !== undefined &&
        "List" in each.A_Expr.rexpr &&
        (each.A_Expr.rexpr.List.items ?? []).every((item) => values.some((value) => sameText(value, item))),
    );
  }
  return (
    (bound.lower === undefined || compares(">=", bound.lower)) &&
    (bound.upper === undefined || compares("<", bound.upper))
  );
}

function isColumn(node: Node | undefined, column: string): boolean {
  return node !== undefined && "ColumnRef" in node && strings(node.ColumnRef.fields).at(-1) === column;
}

/** The column by which a table is partitioned; undefined for several, and where no migration says it. */
function partitionColumn(relation: RangeVar | undefined, { known }: Statement): string | undefined {
  const key = known.table(relation)?.partitionKey ?? [];
  return key.length === 1 ? key[0] : undefined;
}

/** The bound as a CHECK, for a recipe. */
function proofOf(
  spec: PartitionBoundSpec | undefined,
  column: string,
  { source }: Statement,
): string | undefined {
  const bound = boundOf(spec);
  if (bound === undefined) return undefined;
  const name = quoted(column);
  const text = (node: Node | undefined): string =>
    node === undefined ? "" : source.from(locationOf(node), []);
  const conditions =
    bound.list === undefined
      ? [
          ...(bound.lower === undefined ? [] : [`${name} >= ${text(bound.lower)}`]),
          ...(bound.upper === undefined ? [] : [`${name} < ${text(bound.upper)}`]),
        ]
      : [`${name} IN (${bound.list.map(text).join(", ")})`];
  return [`${name} IS NOT NULL`, ...conditions].join(" AND ");
}

function locationOf(node: Node): number {
  if ("A_Const" in node) return node.A_Const.location ?? 0;
  return "TypeCast" in node && node.TypeCast.arg !== undefined ? locationOf(node.TypeCast.arg) : 0;
}

interface Attached {
  each: Command;
  partition: RangeVar | undefined;
  bound: PartitionBoundSpec;
}

function attached({ commands }: Statement): Attached[] {
  return commands.flatMap((each) => {
    const { subtype, def } = each.command;
    if (
      subtype !== "AT_AttachPartition" ||
      def === undefined ||
      !("PartitionCmd" in def) ||
      def.PartitionCmd.bound === undefined
    )
      return [];
    return [{ each, partition: def.PartitionCmd.name, bound: def.PartitionCmd.bound }];
  });
}

function readsDefault(parent: RangeVar | undefined, { known }: Statement): boolean {
  return known.table(parent)?.hasDefaultPartition === true && !known.isFreshRelation(parent);
}

export const partitionRules: Rule[] = [
  {
    name: "create-partition",
    reason:
      "waits for all sessions that use the table, and blocks all later ones; a default partition is read as a whole meanwhile",
    phases: allPhases,
    example:
      "CREATE TABLE readings_2031 PARTITION OF readings FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');",
    find: (statement) => {
      const { node, start, known, source, phase } = statement;
      if (!("CreateStmt" in node) || node.CreateStmt.partbound === undefined) return [];
      const { relation, inhRelations = [], partbound } = node.CreateStmt;
      const parent = inhRelations.flatMap((each) => ("RangeVar" in each ? [each.RangeVar] : []))[0];
      if (known.isFreshRelation(parent)) return [];
      if (readsDefault(parent, statement))
        return [
          {
            at: start,
            recipe: words(
              `a CHECK on the default partition of ${quotedRelation(parent)} that no row of it belongs to the new one: NOT VALID, then validated`,
              "then CREATE TABLE of the partition by itself, and ATTACH PARTITION",
            ),
          },
        ];
      const bound =
        partbound.is_default === true
          ? "DEFAULT"
          : source.slice(
              source.find("VALUES")?.at ?? start,
              source.closeOf(source.find("VALUES")?.at ?? start) ?? source.end,
            );
      const range = partbound.strategy === "r" ? source.from(source.find("VALUES")?.at ?? start, []) : bound;
      const table = quotedRelation(relation);
      return [
        {
          at: start,
          recipe: migration(
            phase,
            `CREATE TABLE ${table} (LIKE ${quotedRelation(parent)} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE);
ALTER TABLE ${quotedRelation(parent)} ATTACH PARTITION ${table} ${partbound.is_default === true ? "DEFAULT" : `FOR ${range}`};`,
          ),
        },
      ];
    },
  },
  {
    name: "attach-partition",
    reason:
      "all rows of the partition, and of a default one, are read under a lock that blocks their readers too, unless a CHECK proves what it would find",
    phases: allPhases,
    example:
      "ALTER TABLE readings ATTACH PARTITION readings_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');",
    find: (statement) =>
      attached(statement)
        .filter(({ each, partition, bound }) => {
          if (statement.known.isFreshRelation(each.relation)) return false;
          return (
            readsDefault(each.relation, statement) ||
            (!statement.known.isFreshRelation(partition) &&
              !isProved(partition, partitionColumn(each.relation, statement), bound, statement))
          );
        })
        .map(({ each, partition, bound }) => {
          const column = partitionColumn(each.relation, statement);
          const proof =
            column === undefined || readsDefault(each.relation, statement)
              ? undefined
              : proofOf(bound, column, statement);
          const check = quoted(`${partition?.relname ?? ""}_bound`);
          const table = quotedRelation(partition);
          if (proof === undefined)
            return {
              at: each.at,
              recipe: words(
                `a CHECK on ${table} of what the bound says, NOT VALID and then validated; on a default partition, of the contrary`,
                "then ATTACH PARTITION, with -- assure attach-partition: which CHECK proves it",
              ),
            };
          return {
            at: each.at,
            recipe: inTurn(
              migration(
                "contract",
                `ALTER TABLE ${table} ADD CONSTRAINT ${check} CHECK (${proof}) NOT VALID;`,
              ),
              migration("contract", `ALTER TABLE ${table} VALIDATE CONSTRAINT ${check};`),
              migration("contract", `${each.sql};`),
              migration("contract", `ALTER TABLE ${table} DROP CONSTRAINT ${check};`),
            ),
          };
        }),
  },
  {
    name: "change-inheritance",
    reason: "rows appear in the table, or go from it, while the live version reads it",
    phases: beforeContract,
    example: "ALTER TABLE orders_2024 NO INHERIT old_orders;",
    find: ({ commands, known }) =>
      commands
        .filter(
          ({ command: { subtype }, relation }) =>
            (subtype === "AT_AddInherit" || subtype === "AT_DropInherit") && !known.isFreshRelation(relation),
        )
        .map(({ at, sql }) => ({ at, recipe: migration("contract", `${sql};`) })),
  },
];
