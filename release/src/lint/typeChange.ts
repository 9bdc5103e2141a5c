import type { Node, RangeVar, TypeName } from "libpg-query";
import { columnsIn } from "./facts.js";
import type { Known } from "./known.js";
import { strings, typeText } from "../sql/names.js";

/**
 * Types whose modifier is a length or a precision: with a larger one, or none, every value stays as it is.
 */
const lengths = new Set(["varchar", "varbit", "timestamp", "timestamptz", "time", "timetz", "interval"]);

/** An interval of all fields, in its modifier. */
const allFields = 0x7fff;

/** The column itself, cast to its new type or not. */
export function isItself(using: Node | undefined, column: string, type: TypeName | undefined): boolean {
  if (using === undefined) return true;
  if ("TypeCast" in using)
    return typeText(using.TypeCast.typeName) === typeText(type) && isItself(using.TypeCast.arg, column, type);
  return "ColumnRef" in using && strings(using.ColumnRef.fields).at(-1) === column;
}

/** Whether PostgreSQL reads the rows or builds an index again, although the new type takes every value. */
export function isRead(relation: RangeVar | undefined, column: string, known: Known): boolean {
  const isChecked = [...(known.table(relation)?.checks.values() ?? [])].some(
    ({ expression, isValidated }) => isValidated && columnsIn(expression).includes(column),
  );
  return isChecked || known.bindsIndex(relation, column) || known.isShown(relation, column);
}

/** Types that rows of the old one already keep to: PostgreSQL looks at none of them. */
export function isWider(from: TypeName | undefined, to: TypeName | undefined): boolean {
  const [old, wanted] = [strings(from?.names).at(-1), strings(to?.names).at(-1)];
  if (
    from === undefined ||
    to === undefined ||
    old === undefined ||
    wanted === undefined ||
    (from.arrayBounds ?? []).length + (to.arrayBounds ?? []).length > 0
  )
    return false;
  const [before, after] = [modifiers(from), modifiers(to)];
  if (wanted === "text") return old === "varchar" || old === "text";
  if (old === "text") return wanted === "varchar" && after.length === 0;
  if (wanted === "inet" && old === "cidr") return true;
  if (old !== wanted) return false;
  // DAY TO SECOND and the like leave parts out.
  if (
    wanted === "interval" &&
    [before, after].some(([fields]) => fields !== undefined && fields !== allFields)
  )
    return false;
  if (lengths.has(wanted))
    return after.length === 0 || (before.length > 0 && (after.at(-1) ?? 0) >= (before.at(-1) ?? 0));
  if (wanted === "numeric")
    return (
      after.length === 0 ||
      (before.length > 0 && (after[0] ?? 0) >= (before[0] ?? 0) && (after[1] ?? 0) === (before[1] ?? 0))
    );
  return (
    before.length === 0 &&
    after.length === 0 &&
    ["int2", "int4", "int8", "float4", "float8", "bool", "date", "jsonb", "uuid", "bytea"].includes(wanted)
  );
}

function modifiers({ typmods = [] }: TypeName): number[] {
  return typmods.flatMap((node) => ("A_Const" in node ? [node.A_Const.ival?.ival ?? 0] : []));
}
