import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { parseSync, loadModule } from "libpg-query";
import { allPhases } from "@bluegreen/release/lint/rule";
import { kindsOf, unlisted, verdicts } from "@bluegreen/release/lint/verdicts";
import { lint } from "@bluegreen/release/lint/lint";
import { rules } from "@bluegreen/release/lint/registry";
import { samples } from "./samples";

/** What the grammar cannot say: parts of other statements, and what PostgreSQL makes for itself. */
const inner = ["PLAssignStmt", "RawStmt", "ReplicaIdentityStmt", "ReturnStmt", "SetOperationStmt"];
const ownCommands = [
  "AT_AddColumnToView",
  "AT_CookedColumnDefault",
  "AT_AddIndex",
  "AT_ReAddIndex",
  "AT_ReAddConstraint",
  "AT_ReAddDomainConstraint",
  "AT_AddIndexConstraint",
  "AT_ReAddComment",
  "AT_ReplaceRelOptions",
  "AT_ReAddStatistics",
];

/** Rules about the file that a statement stands in. */
const ofFile = ["needs-no-transaction", "no-transaction-alone"];

/** What the parser itself, as it runs, has words for. */
function namesIn(pattern: RegExp): string[] {
  const program = readFileSync(join(dirname(require.resolve("libpg-query")), "libpg-query.wasm"), "latin1");
  return [...new Set(program.match(pattern))];
}

/** The members of a type that comes with the parser. */
function membersOf(type: string): string[] {
  const text = readFileSync(join(dirname(require.resolve("@pgsql/types")), "enums.d.ts"), "utf8");
  const members = new RegExp(`export type ${type} = ([^;]+);`).exec(text)?.[1] ?? "";
  return [...members.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name);
}

const listed = (statement: string) =>
  [...verdicts.keys()].flatMap((kind) =>
    kind.startsWith(`${statement} `) ? [kind.slice(statement.length + 1)] : [],
  );

describe("The list of statements", () => {
  before(loadModule);

  it("has every statement that the parser has a name for", () => {
    const statements = namesIn(/(?<![A-Za-z_])[A-Z][A-Za-z]+Stmt(?![A-Za-z_])/g);
    expect(statements.length).to.be.greaterThan(100);
    expect(new Set([...[...verdicts.keys()].map((kind) => kind.split(" ")[0]), ...inner])).to.deep.equal(
      new Set(statements),
    );
  });

  it("has every command of ALTER TABLE that the parser has a name for", () => {
    const commands = namesIn(/(?<![A-Za-z_])AT_[A-Za-z]+(?![A-Za-z_])/g);
    expect(commands.length).to.be.greaterThan(50);
    expect([...listed("AlterTableStmt"), ...ownCommands]).to.have.members(commands);
  });

  it("has every part of the other statements that have parts", () => {
    const whole: Record<string, string> = {
      AlterTSConfigurationStmt: "AlterTSConfigType",
      AlterPublicationStmt: "AlterPublicationAction",
      AlterSubscriptionStmt: "AlterSubscriptionType",
      VariableSetStmt: "VariableSetKind",
      DiscardStmt: "DiscardMode",
      TransactionStmt: "TransactionStmtKind",
    };
    for (const [statement, type] of Object.entries(whole))
      expect(listed(statement), statement).to.have.members(membersOf(type));
    // Kinds of objects: each is dropped, renamed, moved and owned by some statement, or by none that the
    // grammar knows.
    const objects = membersOf("ObjectType");
    expect(objects.length).to.be.greaterThan(50);
    const known = ["DropStmt", "RenameStmt", "AlterObjectSchemaStmt", "AlterOwnerStmt", "DefineStmt"].flatMap(
      listed,
    );
    const parts = [
      "OBJECT_AMOP",
      "OBJECT_AMPROC",
      "OBJECT_DEFAULT",
      "OBJECT_DEFACL",
      "OBJECT_PARAMETER_ACL",
      "OBJECT_PUBLICATION_NAMESPACE",
      "OBJECT_PUBLICATION_REL",
      "OBJECT_USER_MAPPING",
    ];
    expect(new Set([...known, ...parts])).to.deep.equal(new Set(objects));
  });

  it("names rules that there are", () => {
    expect(new Set([...verdicts.values()].flat())).to.satisfy((names: Set<string>) =>
      [...names].every((name) => rules.some((rule) => rule.name === name)),
    );
  });

  it("has SQL for every kind, which no other rules find than those it names", async () => {
    const seen = new Set<string>();
    const wrong: string[] = [];
    for (const sql of samples) {
      const kinds = (parseSync(sql).stmts ?? []).flatMap(({ stmt }) =>
        stmt === undefined ? [] : kindsOf(stmt),
      );
      for (const kind of kinds) seen.add(kind);
      const expected = new Set([...kinds.flatMap((kind) => verdicts.get(kind) ?? []), ...ofFile]);
      const found = new Set<string>();
      for (const phase of allPhases)
        for (const { rule } of await lint([{ file: "0001_x.sql", sql: `-- phase: ${phase}\n${sql}` }]))
          found.add(rule);
      for (const rule of found) if (!expected.has(rule)) wrong.push(`${rule} finds ${sql}`);
    }
    expect(wrong).to.deep.equal([]);
    expect([...verdicts.keys()].filter((kind) => !seen.has(kind))).to.deep.equal([]);
  });

  it("refuses what it does not have, in every phase, by a rule of its own", async () => {
    expect(unlisted(["SelectStmt", "DropStmt OBJECT_TABLE"])).to.deep.equal([]);
    expect(unlisted(["SelectStmt", "SelfDestructStmt", "DropStmt OBJECT_GALAXY"])).to.deep.equal([
      "SelfDestructStmt",
      "DropStmt OBJECT_GALAXY",
    ]);
    const rule = rules.find(({ name }) => name === "unknown-statement");
    expect(rule?.phases).to.deep.equal(allPhases);
    for (const sql of samples)
      expect(
        (await lint([{ file: "0001_x.sql", sql: `-- phase: expand\n${sql}` }])).map(
          (finding) => finding.rule,
        ),
        sql,
      ).not.to.include("unknown-statement");
  });
});
