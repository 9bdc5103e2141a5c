import type { DefElem, Node, RangeVar, TypeName } from "libpg-query";

type KindOf<T> = T extends unknown ? keyof T : never;
export type NodeKind = KindOf<Node>;
type NodeOf<K extends NodeKind> = Extract<Node, Record<K, unknown>>;

/** Their bodies are stored, not run. */
const stored = new Set(["CreateFunctionStmt", "RuleStmt", "ViewStmt"]);

/**
 * The nodes inside a statement or an expression that were searched for before: rules ask for the same ones
 * again and again.
 */
const indexed = new WeakMap<object, Map<string, object[]>>();

/** Every node of a kind inside a statement that the statement itself runs. */
export function nodesOf<K extends NodeKind>(root: unknown, kind: K): NodeOf<K>[K][] {
  if (typeof root !== "object" || root === null) return [];
  const index = indexed.get(root) ?? indexOf(root);
  indexed.set(root, index);
  return (index.get(kind) ?? []).flatMap((node) => (isNode(node, kind) ? [node[kind]] : []));
}

/** Nodes by their kind, in the order of the text. Without recursion: the tree can be deep. */
function indexOf(root: object): Map<string, object[]> {
  const found = new Map<string, object[]>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      // The name of a node's kind; those of its fields begin with a small letter.
      if (/^[A-Z]/.test(key)) {
        const nodes = found.get(key);
        if (nodes === undefined) found.set(key, [value]);
        else nodes.push(value);
      }
      if (!stored.has(key) && !isOnlyExplained(key, child)) open.push(child);
    }
  }
  for (const nodes of found.values()) nodes.reverse();
  return found;
}

function isNode<K extends NodeKind>(value: object, kind: K): value is NodeOf<K> {
  return kind in value;
}

/** EXPLAIN without ANALYZE runs nothing. */
function isOnlyExplained(key: string, statement: unknown): boolean {
  return (
    key === "ExplainStmt" &&
    typeof statement === "object" &&
    statement !== null &&
    !("options" in statement && Array.isArray(statement.options) && isOn(statement.options, "analyze"))
  );
}

/** The options of a statement. */
export function elementsOf(nodes: object[] | undefined): DefElem[] {
  return (nodes ?? []).flatMap((node) =>
    "DefElem" in node && isElement(node.DefElem) ? [node.DefElem] : [],
  );
}

function isElement(value: unknown): value is DefElem {
  return typeof value === "object" && value !== null && "defname" in value;
}

/** Whether a list of options turns one on: by its name alone, or with a value that says so. */
export function isOn(options: object[] | undefined, name: string): boolean {
  return elementsOf(options).some(({ defname, arg }) => defname === name && !isOff(arg));
}

function isOff(value: Node | undefined): boolean {
  if (value === undefined) return false;
  if ("Boolean" in value) return value.Boolean.boolval !== true;
  if ("Integer" in value) return (value.Integer.ival ?? 0) === 0;
  return (
    "String" in value &&
    ["off", "false", "no", "0", "f", "n"].includes((value.String.sval ?? "").toLowerCase())
  );
}

/** Whether two expressions are written alike, wherever they stand. */
export function sameText(left: Node | undefined, right: Node | undefined): boolean {
  return textOf(left) === textOf(right);
}

function textOf(node: Node | undefined): string | undefined {
  return JSON.stringify(node, (name, value: unknown) => (name === "location" ? undefined : value));
}

/** The conditions that AND joins. */
export function conjuncts(where: Node | undefined): Node[] {
  const found: Node[] = [];
  const open = where === undefined ? [] : [where];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if ("BoolExpr" in node && node.BoolExpr.boolop === "AND_EXPR") open.push(...(node.BoolExpr.args ?? []));
    else found.push(node);
  }
  return found;
}

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
