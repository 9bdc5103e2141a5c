import type { Node, RangeVar, TypeName } from "libpg-query";

/** Identifies an object: its schema, unless that is public, and its name. */
export function nameOf(parts: (string | undefined)[]): string {
  const known = parts.filter((part) => part !== undefined && part !== "");
  return (known[0] === "public" && known.length > 1 ? known.slice(1) : known).join(".");
}

export function relationName(relation: RangeVar | undefined): string {
  return nameOf([relation?.schemaname, relation?.relname]);
}

/** As SQL: quoted where PostgreSQL would otherwise read another name. */
export function quoted(...parts: (string | undefined)[]): string {
  return parts
    .flatMap((part) => (part === undefined || part === "" ? [] : [part]))
    .map((part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : `"${printable(part).replaceAll('"', '""')}"`))
    .join(".");
}

/**
 * Names come from files of others: nothing in one may move a cursor, begin a line or turn the reading
 * direction.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

export function quotedRelation(relation: RangeVar | undefined): string {
  return quoted(relation?.schemaname, relation?.relname);
}

/** The text of a node that is a name, or a list of names. */
export function strings(nodes: Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ("String" in node ? [node.String.sval ?? ""] : []));
}

/** What a DROP, ALTER or REVOKE names. */
export function objectParts(node: Node | undefined): string[] {
  if (node === undefined) return [];
  if ("List" in node) return strings(node.List.items);
  if ("String" in node) return strings([node]);
  if ("ObjectWithArgs" in node) return strings(node.ObjectWithArgs.objname);
  if ("TypeName" in node) return strings(node.TypeName.names);
  if ("RangeVar" in node) return [node.RangeVar.schemaname ?? "", node.RangeVar.relname ?? ""];
  return [];
}

/** A type as it is written: numeric(10,2), text[]. */
export function typeText(type: TypeName | undefined): string {
  const names = strings(type?.names);
  const name = names[0] === "pg_catalog" ? quoted(...names.slice(1)) : quoted(...names);
  const modifiers = (type?.typmods ?? []).flatMap((node) =>
    "A_Const" in node && node.A_Const.ival !== undefined ? [node.A_Const.ival.ival ?? 0] : [],
  );
  return `${name}${modifiers.length > 0 ? `(${modifiers.join(",")})` : ""}${(type?.arrayBounds ?? []).map(() => "[]").join("")}`;
}

export function isType(type: TypeName | undefined, ...wanted: string[]): boolean {
  return wanted.includes(strings(type?.names).at(-1) ?? "");
}
