import type { ObjectType } from "libpg-query";
import { accepted, holds, type Verdict } from "./verdict.js";

type ByObject = Partial<Record<ObjectType, Verdict>>;

export const same = (verdict: Verdict, ...types: ObjectType[]): ByObject =>
  Object.fromEntries(types.map((type) => [type, verdict]));

const routines: ObjectType[] = ["OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"];
const searchObjects: ObjectType[] = [
  "OBJECT_TSCONFIGURATION",
  "OBJECT_TSDICTIONARY",
  "OBJECT_TSPARSER",
  "OBJECT_TSTEMPLATE",
];

export const drops: ByObject = {
  ...same(["drop-table", ...holds], "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"),
  ...same(["drop-view"], "OBJECT_VIEW", "OBJECT_MATVIEW"),
  ...same(["drop-function"], ...routines),
  ...same(["drop-type"], "OBJECT_TYPE", "OBJECT_DOMAIN"),
  ...same(["drop-trigger", ...holds], "OBJECT_TRIGGER", "OBJECT_RULE"),
  OBJECT_SCHEMA: ["drop-schema"],
  OBJECT_SEQUENCE: ["drop-sequence"],
  OBJECT_POLICY: ["drop-policy", ...holds],
  OBJECT_INDEX: ["drop-index", "drop-live-index", "not-on-partitioned", "needs-no-transaction"],
  ...same(
    ["drop-object"],
    "OBJECT_ACCESS_METHOD",
    "OBJECT_CAST",
    "OBJECT_COLLATION",
    "OBJECT_CONVERSION",
    "OBJECT_EVENT_TRIGGER",
    "OBJECT_EXTENSION",
    "OBJECT_FDW",
    "OBJECT_FOREIGN_SERVER",
  ),
  ...same(
    ["drop-object"],
    "OBJECT_LANGUAGE",
    "OBJECT_OPCLASS",
    "OBJECT_OPERATOR",
    "OBJECT_OPFAMILY",
    "OBJECT_PUBLICATION",
    "OBJECT_STATISTIC_EXT",
    "OBJECT_TRANSFORM",
    ...searchObjects,
  ),
};

export const renames: ByObject = {
  OBJECT_COLUMN: ["rename-column"],
  ...same(["rename-table"], "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"),
  OBJECT_SCHEMA: ["rename-schema"],
  ...same(["rename-view"], "OBJECT_VIEW", "OBJECT_MATVIEW"),
  ...same(["rename-function"], ...routines),
  ...same(["rename-type"], "OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_ATTRIBUTE"),
  OBJECT_SEQUENCE: ["rename-sequence"],
  ...same(["rename-constraint"], "OBJECT_TABCONSTRAINT", "OBJECT_DOMCONSTRAINT"),
  ...same(["rename-trigger"], "OBJECT_TRIGGER", "OBJECT_RULE"),
  // No SQL of an app names them, and their names decide nothing.
  ...same(accepted, "OBJECT_INDEX", "OBJECT_POLICY", "OBJECT_STATISTIC_EXT"),
  ...same(
    ["rename-object"],
    "OBJECT_ROLE",
    "OBJECT_COLLATION",
    "OBJECT_CONVERSION",
    "OBJECT_DATABASE",
    "OBJECT_EVENT_TRIGGER",
    "OBJECT_FDW",
    "OBJECT_FOREIGN_SERVER",
    "OBJECT_LANGUAGE",
  ),
  ...same(
    ["rename-object"],
    "OBJECT_OPCLASS",
    "OBJECT_OPFAMILY",
    "OBJECT_PUBLICATION",
    "OBJECT_SUBSCRIPTION",
    "OBJECT_TABLESPACE",
    ...searchObjects,
  ),
};

export const schemaObjects: ObjectType[] = [
  "OBJECT_TABLE",
  "OBJECT_FOREIGN_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_SEQUENCE",
  ...routines,
  "OBJECT_TYPE",
  "OBJECT_DOMAIN",
  "OBJECT_COLLATION",
  "OBJECT_CONVERSION",
  "OBJECT_EXTENSION",
  "OBJECT_OPERATOR",
  "OBJECT_OPCLASS",
  "OBJECT_OPFAMILY",
  "OBJECT_STATISTIC_EXT",
  ...searchObjects,
];

export const ownedObjects: ObjectType[] = [
  ...routines,
  ...([
    "OBJECT_TYPE",
    "OBJECT_DOMAIN",
    "OBJECT_COLLATION",
    "OBJECT_CONVERSION",
    "OBJECT_OPERATOR",
    "OBJECT_OPCLASS",
    "OBJECT_OPFAMILY",
    "OBJECT_STATISTIC_EXT",
    "OBJECT_TSCONFIGURATION",
    "OBJECT_TSDICTIONARY",
  ] satisfies ObjectType[]),
  ...([
    "OBJECT_DATABASE",
    "OBJECT_EVENT_TRIGGER",
    "OBJECT_FDW",
    "OBJECT_FOREIGN_SERVER",
    "OBJECT_LANGUAGE",
    "OBJECT_LARGEOBJECT",
    "OBJECT_PUBLICATION",
    "OBJECT_SUBSCRIPTION",
    "OBJECT_SCHEMA",
    "OBJECT_TABLESPACE",
  ] satisfies ObjectType[]),
];

export const definitions: ObjectType[] = [
  "OBJECT_AGGREGATE",
  "OBJECT_COLLATION",
  "OBJECT_OPERATOR",
  "OBJECT_TYPE",
  ...searchObjects,
];
