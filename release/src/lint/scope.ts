import type { Node, ObjectType, RangeVar, TypeName } from "libpg-query";
import { objectParts, strings, typeText } from "../sql/tree.js";

/** Kinds of objects that share their names. */
export type Kind = "relation" | "routine" | "type" | "schema" | ObjectType;

const relations = new Set<ObjectType>([
  "OBJECT_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_SEQUENCE",
  "OBJECT_INDEX",
  "OBJECT_FOREIGN_TABLE",
]);
const routines = new Set<ObjectType>([
  "OBJECT_FUNCTION",
  "OBJECT_PROCEDURE",
  "OBJECT_ROUTINE",
  "OBJECT_AGGREGATE",
]);
/** Named together with the relation that they belong to. */
const ofRelation = new Set<ObjectType>([
  "OBJECT_TRIGGER",
  "OBJECT_POLICY",
  "OBJECT_RULE",
  "OBJECT_TABCONSTRAINT",
]);
/** Their names have no schema. */
const global = new Set<ObjectType>([
  "OBJECT_ACCESS_METHOD",
  "OBJECT_DATABASE",
  "OBJECT_EVENT_TRIGGER",
  "OBJECT_EXTENSION",
  "OBJECT_FDW",
  "OBJECT_FOREIGN_SERVER",
  "OBJECT_LANGUAGE",
  "OBJECT_PUBLICATION",
  "OBJECT_ROLE",
  "OBJECT_SUBSCRIPTION",
  "OBJECT_TABLESPACE",
  "OBJECT_CAST",
  "OBJECT_TRANSFORM",
  "OBJECT_USER_MAPPING",
  "OBJECT_LARGEOBJECT",
]);

export function kindOf(type: ObjectType): Kind {
  if (relations.has(type)) return "relation";
  if (routines.has(type)) return "routine";
  if (type === "OBJECT_TYPE" || type === "OBJECT_DOMAIN") return "type";
  return type === "OBJECT_SCHEMA" ? "schema" : type;
}

/** Which object a name means: the search path and the session's temporary tables decide. */
export class Scope {
  /** The first schema of the search path. */
  private schema = "public";
  private readonly temporary = new Set<string>();
  private unknown = 0;

  /**
   * @param schema undefined when it cannot be read off the statement: then names of before mean something
   * else
   */
  setPath(schema: string | undefined): void {
    this.schema = schema ?? `?${++this.unknown}`;
  }

  /** What statements inside CREATE SCHEMA mean. */
  within(schema: string, work: () => void): void {
    const outer = this.schema;
    this.schema = schema;
    work();
    this.schema = outer;
  }

  addTemporary(name: string): void {
    this.temporary.add(name);
  }

  dropTemporary(name: string): void {
    this.temporary.delete(name);
  }

  relation(relation: RangeVar | undefined): string {
    return this.name("relation", [relation?.schemaname ?? "", relation?.relname ?? ""]);
  }

  /** An index lies in the schema of its table. */
  inSchemaOf(relation: RangeVar | undefined, name: string): string {
    return this.relation(relation).replace(/[^.]*$/, () => name);
  }

  name(kind: Kind, parts: string[]): string {
    const [name = "", schema] = parts.filter((part) => part !== "").reverse();
    if (schema !== undefined) return `${schema}.${name}`;
    return `${kind === "relation" && this.temporary.has(name) ? "pg_temp" : this.schema}.${name}`;
  }

  /**
   * The identity of what a DROP, ALTER or GRANT names. Of routines it ends in the types of the arguments,
   * where they are said.
   */
  object(type: ObjectType, node: Node | undefined): string {
    const kind = kindOf(type);
    if (node !== undefined && "ObjectWithArgs" in node) {
      const { objname, objargs, args_unspecified } = node.ObjectWithArgs;
      return (
        this.name(kind, strings(objname)) +
        (args_unspecified === true
          ? ""
          : argumentsOf((objargs ?? []).flatMap((each) => ("TypeName" in each ? [each.TypeName] : []))))
      );
    }
    const parts =
      node !== undefined && "List" in node && (type === "OBJECT_CAST" || type === "OBJECT_TRANSFORM")
        ? [typesText(node.List.items)]
        : objectParts(node);
    if (ofRelation.has(type)) return `${this.name("relation", parts.slice(0, -1))} ${parts.at(-1) ?? ""}`;
    if (type === "OBJECT_OPCLASS" || type === "OBJECT_OPFAMILY")
      return `${this.name(kind, parts.slice(1))} ${parts[0] ?? ""}`;
    return kind === "schema" || global.has(type) ? parts.join(".") : this.name(kind, parts);
  }
}

/** What a statement is read with: the objects that the SQL before it has made. */
export interface KnownObjects {
  readonly scope: Scope;
  isFresh(type: ObjectType, node: Node | undefined): boolean;
  isFreshRelation(relation: RangeVar | undefined): boolean;
  isFreshData(relation: RangeVar | undefined): boolean;
  isMaybeFreshRelation(relation: RangeVar | undefined): boolean;
  index(name: string): { table: string } | undefined;
}

export function argumentsOf(types: TypeName[]): string {
  return `(${types.map(typeText).join(",")})`;
}

/** CAST (a AS b), TRANSFORM FOR a LANGUAGE b. */
export function typesText(nodes: Node[] | undefined): string {
  return (nodes ?? [])
    .map((node) => ("TypeName" in node ? typeText(node.TypeName) : strings([node]).join("")))
    .join(" ");
}
