import type { Node, ObjectType, RangeVar, TypeName } from "libpg-query";
import { strings, elementsOf } from "../sql/tree.js";
import { argumentsOf, kindOf, typesText, type KnownObjects } from "./scope.js";

/** An object that a statement makes. */
interface Made {
  type: ObjectType;
  name: string;
  /** False with IF NOT EXISTS and OR REPLACE: it may be the one that everybody uses. */
  isCertain: boolean;
  isTemporary?: boolean;
}

/** What a statement makes. Constraints come with their tables. */
export function made(node: Node, known: KnownObjects): Made[] {
  const { scope } = known;
  const named = (type: ObjectType, name: string, mayExist: boolean | undefined): Made[] => [
    { type, name, isCertain: mayExist !== true },
  ];
  const relation = (type: ObjectType, of: RangeVar | undefined, mayExist?: boolean): Made[] => {
    const isTemporary = of?.relpersistence === "t" || of?.schemaname === "pg_temp";
    return [
      {
        type,
        name: isTemporary
          ? `pg_temp.${of.relname ?? ""}`
          : scope.name("relation", [of?.schemaname ?? "", of?.relname ?? ""]),
        isCertain: mayExist !== true,
        isTemporary,
      },
    ];
  };
  const schemed = (type: ObjectType, names: Node[] | undefined, mayExist?: boolean) =>
    named(type, scope.name(kindOf(type), strings(names)), mayExist);
  const ofTable = (
    type: ObjectType,
    table: RangeVar | undefined,
    name: string | undefined,
    mayExist?: boolean,
  ) => named(type, `${scope.relation(table)} ${name ?? ""}`, mayExist);

  if ("CreateStmt" in node)
    return relation("OBJECT_TABLE", node.CreateStmt.relation, node.CreateStmt.if_not_exists);
  if ("CreateForeignTableStmt" in node)
    return relation(
      "OBJECT_FOREIGN_TABLE",
      node.CreateForeignTableStmt.base?.relation,
      node.CreateForeignTableStmt.base?.if_not_exists,
    );
  if ("CreateTableAsStmt" in node)
    return relation("OBJECT_TABLE", node.CreateTableAsStmt.into?.rel, node.CreateTableAsStmt.if_not_exists);
  if ("SelectStmt" in node)
    return node.SelectStmt.intoClause === undefined
      ? []
      : relation("OBJECT_TABLE", node.SelectStmt.intoClause.rel);
  if ("ViewStmt" in node) return relation("OBJECT_VIEW", node.ViewStmt.view, node.ViewStmt.replace);
  if ("CreateSeqStmt" in node)
    return relation("OBJECT_SEQUENCE", node.CreateSeqStmt.sequence, node.CreateSeqStmt.if_not_exists);
  if ("CompositeTypeStmt" in node)
    return [
      ...relation("OBJECT_TABLE", node.CompositeTypeStmt.typevar),
      ...named("OBJECT_TYPE", scope.relation(node.CompositeTypeStmt.typevar), false),
    ];
  if ("IndexStmt" in node) {
    const { relation: of, idxname, if_not_exists } = node.IndexStmt;
    return idxname !== undefined && known.isFreshRelation(of)
      ? named("OBJECT_INDEX", scope.inSchemaOf(of, idxname), if_not_exists)
      : [];
  }
  if ("CreateFunctionStmt" in node) {
    const { funcname, parameters, replace } = node.CreateFunctionStmt;
    return named(
      "OBJECT_FUNCTION",
      scope.name("routine", strings(funcname)) + argumentsOf(inputs(parameters)),
      replace,
    );
  }
  if ("DefineStmt" in node) {
    const { kind = "OBJECT_TYPE", defnames, args, definition, replace, if_not_exists } = node.DefineStmt;
    const name = scope.name(kindOf(kind), strings(defnames));
    const operands = elementsOf(definition).flatMap(({ defname, arg }) =>
      (defname === "leftarg" || defname === "rightarg") && arg !== undefined && "TypeName" in arg
        ? [arg.TypeName]
        : [],
    );
    const list = args?.[0];
    const suffix =
      kind === "OBJECT_OPERATOR"
        ? argumentsOf(operands)
        : kind === "OBJECT_AGGREGATE"
          ? argumentsOf(inputs(list !== undefined && "List" in list ? list.List.items : []))
          : "";
    return named(kind, name + suffix, replace === true || if_not_exists === true);
  }
  if ("CreateEnumStmt" in node) return schemed("OBJECT_TYPE", node.CreateEnumStmt.typeName);
  if ("CreateRangeStmt" in node) return schemed("OBJECT_TYPE", node.CreateRangeStmt.typeName);
  if ("CreateDomainStmt" in node) return schemed("OBJECT_DOMAIN", node.CreateDomainStmt.domainname);
  if ("CreateConversionStmt" in node)
    return schemed("OBJECT_CONVERSION", node.CreateConversionStmt.conversion_name);
  if ("CreateStatsStmt" in node)
    return schemed("OBJECT_STATISTIC_EXT", node.CreateStatsStmt.defnames, node.CreateStatsStmt.if_not_exists);
  if ("CreateOpClassStmt" in node)
    return named(
      "OBJECT_OPCLASS",
      `${scope.name("OBJECT_OPCLASS", strings(node.CreateOpClassStmt.opclassname))} ${node.CreateOpClassStmt.amname ?? ""}`,
      false,
    );
  if ("CreateOpFamilyStmt" in node)
    return named(
      "OBJECT_OPFAMILY",
      `${scope.name("OBJECT_OPFAMILY", strings(node.CreateOpFamilyStmt.opfamilyname))} ${node.CreateOpFamilyStmt.amname ?? ""}`,
      false,
    );
  if ("CreateTrigStmt" in node)
    return ofTable(
      "OBJECT_TRIGGER",
      node.CreateTrigStmt.relation,
      node.CreateTrigStmt.trigname,
      node.CreateTrigStmt.replace,
    );
  if ("CreatePolicyStmt" in node)
    return ofTable("OBJECT_POLICY", node.CreatePolicyStmt.table, node.CreatePolicyStmt.policy_name);
  if ("RuleStmt" in node)
    return ofTable("OBJECT_RULE", node.RuleStmt.relation, node.RuleStmt.rulename, node.RuleStmt.replace);
  if ("CreateSchemaStmt" in node)
    return named(
      "OBJECT_SCHEMA",
      node.CreateSchemaStmt.schemaname ?? "",
      node.CreateSchemaStmt.if_not_exists,
    );
  if ("CreateRoleStmt" in node) return named("OBJECT_ROLE", node.CreateRoleStmt.role ?? "", false);
  if ("CreatedbStmt" in node) return named("OBJECT_DATABASE", node.CreatedbStmt.dbname ?? "", false);
  if ("CreateTableSpaceStmt" in node)
    return named("OBJECT_TABLESPACE", node.CreateTableSpaceStmt.tablespacename ?? "", false);
  if ("CreateExtensionStmt" in node)
    return named(
      "OBJECT_EXTENSION",
      node.CreateExtensionStmt.extname ?? "",
      node.CreateExtensionStmt.if_not_exists,
    );
  if ("CreateFdwStmt" in node) return named("OBJECT_FDW", node.CreateFdwStmt.fdwname ?? "", false);
  if ("CreateForeignServerStmt" in node)
    return named(
      "OBJECT_FOREIGN_SERVER",
      node.CreateForeignServerStmt.servername ?? "",
      node.CreateForeignServerStmt.if_not_exists,
    );
  if ("CreateUserMappingStmt" in node)
    return named(
      "OBJECT_USER_MAPPING",
      `${node.CreateUserMappingStmt.user?.rolename ?? ""} ${node.CreateUserMappingStmt.servername ?? ""}`,
      node.CreateUserMappingStmt.if_not_exists,
    );
  if ("CreatePublicationStmt" in node)
    return named("OBJECT_PUBLICATION", node.CreatePublicationStmt.pubname ?? "", false);
  if ("CreateSubscriptionStmt" in node)
    return named("OBJECT_SUBSCRIPTION", node.CreateSubscriptionStmt.subname ?? "", false);
  if ("CreateEventTrigStmt" in node)
    return named("OBJECT_EVENT_TRIGGER", node.CreateEventTrigStmt.trigname ?? "", false);
  if ("CreateAmStmt" in node) return named("OBJECT_ACCESS_METHOD", node.CreateAmStmt.amname ?? "", false);
  if ("CreatePLangStmt" in node)
    return named("OBJECT_LANGUAGE", node.CreatePLangStmt.plname ?? "", node.CreatePLangStmt.replace);
  if ("CreateCastStmt" in node)
    return named(
      "OBJECT_CAST",
      typesText(typeNodes(node.CreateCastStmt.sourcetype, node.CreateCastStmt.targettype)),
      false,
    );
  if ("CreateTransformStmt" in node)
    return named(
      "OBJECT_TRANSFORM",
      `${typesText(typeNodes(node.CreateTransformStmt.type_name))} ${node.CreateTransformStmt.lang ?? ""}`,
      node.CreateTransformStmt.replace,
    );
  return [];
}

const outputs = new Set(["FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"]);

function inputs(parameters: Node[] | undefined): TypeName[] {
  return (parameters ?? []).flatMap((node) =>
    "FunctionParameter" in node &&
    !outputs.has(node.FunctionParameter.mode ?? "") &&
    node.FunctionParameter.argType !== undefined
      ? [node.FunctionParameter.argType]
      : [],
  );
}

function typeNodes(...types: (TypeName | undefined)[]): Node[] {
  return types.flatMap((type) => (type === undefined ? [] : [{ TypeName: type }]));
}
