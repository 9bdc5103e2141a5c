import type { AlterDomainStmt, Constraint, Node, RenameStmt } from "libpg-query";
import { columnsIn, constraintsOf, indexFacts, indexName, nothingDropped } from "./facts.js";
import { locksOf } from "./locks.js";
import { made } from "./made.js";
import { strings, elementsOf, nodesOf } from "../sql/tree.js";
import { kindOf, Scope, type Kind } from "./scope.js";
import type { Source } from "../sql/source.js";
import { KnownTables } from "./knownTables.js";

/** The same, and what any other statement changes of it. */
export class Known extends KnownTables {
  /** Nothing is new any more when the next file starts. */
  startFile(): void {
    this.scope = new Scope();
    for (const each of [
      this.held,
      this.altered,
      this.newValues,
      this.fresh,
      this.maybeFresh,
      this.renamedTypes,
    ])
      each.clear();
    for (const table of this.tables.values()) {
      table.dropped = nothingDropped();
      for (const column of table.columns.values()) column.isFresh = false;
    }
  }

  /** What a backfill's header says: its batches follow this key. */
  addKey(table: string[], columns: string[]): void {
    const facts = this.tableFor(this.scope.name("relation", table));
    facts.hasPrimaryKey = true;
    facts.keys.set("(batch)", columns);
  }

  add(node: Node, source: Source): void {
    for (const { relation, isAltered } of locksOf(node, this)) {
      this.held.add(relation);
      if (isAltered) this.altered.add(relation);
    }
    for (const { type, name, isCertain, isTemporary } of made(node, this)) {
      if (isTemporary === true) this.scope.addTemporary(name.replace(/^.*\./, ""));
      const kind = kindOf(type);
      if (isCertain) this.fresh.add(`${kind} ${name}`);
      else if (kind === "relation") this.maybeFresh.add(name);
    }
    this.addFacts(node, source);
  }

  private addFacts(node: Node, source: Source): void {
    if ("CreateStmt" in node) this.create(node.CreateStmt);
    else if ("CreateSchemaStmt" in node) {
      const { schemaname = "", schemaElts = [] } = node.CreateSchemaStmt;
      this.scope.within(schemaname, () => {
        for (const element of schemaElts) this.add(element, source);
      });
    } else if ("AlterTableStmt" in node) this.alter(node.AlterTableStmt);
    else if ("IndexStmt" in node) {
      const { relation, idxname, unique, whereClause } = node.IndexStmt;
      const facts = indexFacts(node.IndexStmt, this.scope.relation(relation));
      const first = indexName(node.IndexStmt);
      let name = first;
      if (idxname === undefined)
        for (let number = 1; this.indexes.has(this.scope.inSchemaOf(relation, name)); number++)
          name = `${first}${number}`;
      this.indexes.set(this.scope.inSchemaOf(relation, name), facts);
      if (unique === true && facts.columns !== undefined && whereClause === undefined)
        this.tableFor(facts.table).keys.set(name, facts.columns);
    } else if ("ViewStmt" in node) {
      const { view, query } = node.ViewStmt;
      const stars = nodesOf(query, "ColumnRef").some(({ fields = [] }) =>
        fields.some((field) => "A_Star" in field),
      );
      this.views.set(this.scope.relation(view), {
        relations: nodesOf(query, "RangeVar").map((relation) => this.scope.relation(relation)),
        columns: stars ? undefined : columnsIn(query),
      });
    } else if ("CreateDomainStmt" in node) {
      const { domainname, typeName, constraints, collClause } = node.CreateDomainStmt;
      const given = constraintsOf(constraints);
      const checks = given.filter(({ contype }) => contype === "CONSTR_CHECK");
      this.domains.set(this.scope.name("type", strings(domainname)), {
        type: typeName,
        typeText: source.from(typeName?.location ?? 0, [
          ...given.map(({ location }) => location ?? 0),
          collClause?.location ?? 0,
        ]),
        isNotNull: given.some(({ contype }) => contype === "CONSTR_NOTNULL"),
        checks: new Map(
          checks.map((check, index) => [check.conname ?? String(index), checkText(check, source)]),
        ),
      });
    } else if ("AlterDomainStmt" in node) this.alterDomain(node.AlterDomainStmt, source);
    else if ("CreateFunctionStmt" in node) {
      const volatility = elementsOf(node.CreateFunctionStmt.options).find(
        ({ defname }) => defname === "volatility",
      )?.arg;
      const isVolatile =
        volatility === undefined || !("String" in volatility) || volatility.String.sval === "volatile";
      const name = this.scope.name("routine", strings(node.CreateFunctionStmt.funcname));
      this.volatile.set(name, isVolatile || this.volatile.get(name) === true);
      if (strings(node.CreateFunctionStmt.returnType?.names).at(-1) === "trigger")
        this.triggerFunctions.add(name);
      else this.triggerFunctions.delete(name);
    } else if ("DefineStmt" in node) {
      if (node.DefineStmt.kind === "OBJECT_OPERATOR")
        this.operators.add(strings(node.DefineStmt.defnames).at(-1) ?? "");
    } else if ("AlterEnumStmt" in node) {
      const { typeName, newVal, oldVal } = node.AlterEnumStmt;
      if (
        oldVal === undefined &&
        newVal !== undefined &&
        !this.isFreshName("type", this.scope.name("type", strings(typeName)))
      )
        this.newValues.add(newVal);
    } else if ("DropStmt" in node) {
      const { removeType = "OBJECT_TABLE", objects } = node.DropStmt;
      for (const object of objects ?? []) this.forget(removeType, this.scope.object(removeType, object));
    } else if ("RenameStmt" in node) this.rename(node.RenameStmt);
    else if ("AlterObjectSchemaStmt" in node) {
      const { objectType = "OBJECT_TABLE", relation, object, newschema = "" } = node.AlterObjectSchemaStmt;
      const name =
        relation === undefined ? this.scope.object(objectType, object) : this.scope.relation(relation);
      this.move(kindOf(objectType), name, name.replace(/^[^.]*\./, `${newschema}.`));
    }
    this.followPath(node);
  }

  /** SET search_path, and set_config, which is as good. */
  private followPath(node: Node): void {
    if ("VariableSetStmt" in node) {
      const { name, kind, args } = node.VariableSetStmt;
      if (kind === "VAR_RESET_ALL" || (name === "search_path" && kind !== "VAR_SET_VALUE"))
        this.scope.setPath("public");
      else if (name === "search_path") this.scope.setPath(schemaIn(args?.[0]));
    }
    if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL") this.scope.setPath("public");
    for (const { funcname, args = [] } of nodesOf(node, "FuncCall")) {
      if (
        strings(funcname).at(-1) === "set_config" &&
        textOf(args[0])?.toLowerCase() !== undefined &&
        textOf(args[0])?.toLowerCase() === "search_path"
      )
        this.scope.setPath(schemaIn(args[1]));
    }
  }

  private alterDomain({ subtype, typeName, name = "", def }: AlterDomainStmt, source: Source): void {
    const key = this.scope.name("type", strings(typeName));
    const domain = this.domains.get(key) ?? {
      type: undefined,
      typeText: "",
      isNotNull: false,
      checks: new Map<string, string>(),
    };
    this.domains.set(key, domain);
    if (subtype === "O" || subtype === "N") domain.isNotNull = subtype === "O";
    else if (subtype === "X") domain.checks.delete(name);
    else if (subtype === "C" && def !== undefined && "Constraint" in def)
      domain.checks.set(
        def.Constraint.conname ?? String(domain.checks.size),
        checkText(def.Constraint, source),
      );
  }

  private rename({
    renameType = "OBJECT_TABLE",
    relation,
    object,
    subname = "",
    newname = "",
  }: RenameStmt): void {
    const table = this.table(relation);
    const name = this.scope.relation(relation);
    if (renameType === "OBJECT_COLUMN" && table !== undefined) {
      rename(table.columns, subname, newname);
      for (const [key, columns] of table.keys)
        table.keys.set(
          key,
          columns.map((column) => (column === subname ? newname : column)),
        );
      for (const index of this.indexes.values()) {
        if (index.table !== name) continue;
        index.columns = index.columns?.map((column) => (column === subname ? newname : column));
        index.bound = index.bound.map((column) => (column === subname ? newname : column));
      }
      for (const reference of table.references.values())
        reference.columns = reference.columns.map((column) => (column === subname ? newname : column));
      // A proof names its column in its own words.
      for (const [key, { expression }] of table.checks)
        if (columnsIn(expression).includes(subname)) table.checks.delete(key);
    } else if (renameType === "OBJECT_TABCONSTRAINT" && table !== undefined) {
      rename(table.checks, subname, newname);
      rename(table.keys, subname, newname);
      rename(table.references, subname, newname);
      this.move("OBJECT_TABCONSTRAINT", `${name} ${subname}`, `${name} ${newname}`);
    } else if (kindOf(renameType) === "relation" && relation !== undefined)
      this.move(
        "relation",
        name,
        name.replace(/[^.]*$/, () => newname),
      );
    else if (relation !== undefined) this.move(renameType, `${name} ${subname}`, `${name} ${newname}`);
    else if (object !== undefined) {
      const old = this.scope.object(renameType, object);
      this.move(
        kindOf(renameType),
        old,
        old.replace(/[^.(]*(\(.*)?$/, (_, types: string | undefined) => newname + (types ?? "")),
      );
    } else this.move(kindOf(renameType), subname, newname);
  }

  private move(kind: Kind, from: string, to: string): void {
    if (this.fresh.delete(`${kind} ${from}`)) this.fresh.add(`${kind} ${to}`);
    if (kind === "relation") {
      rename(this.tables, from, to);
      rename(this.indexes, from, to);
      rename(this.views, from, to);
    } else if (kind === "type") {
      rename(this.domains, from, to);
      this.renamedTypes.add(to);
    }
  }
}

function rename<Value>(map: Map<string, Value>, from: string, to: string): void {
  const value = map.get(from);
  if (value === undefined) return;
  map.delete(from);
  map.set(to, value);
}

function checkText(check: Constraint, source: Source): string {
  return source.from(source.after("CHECK", check.location ?? 0), []);
}

function textOf(node: Node | undefined): string | undefined {
  if (node !== undefined && "TypeCast" in node) return textOf(node.TypeCast.arg);
  return node !== undefined && "A_Const" in node ? node.A_Const.sval?.sval : undefined;
}

/** The first schema of a search path, which is where new objects go. */
function schemaIn(value: Node | undefined): string | undefined {
  return /^\s*"?([\w]+)"?\s*(?:,|$)/.exec(textOf(value) ?? "")?.[1];
}
