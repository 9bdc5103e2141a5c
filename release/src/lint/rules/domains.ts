import { quoted, strings } from "../../sql/names.js";
import { inContract, inTurn, migration, words } from "../recipe.js";
import { allPhases, beforeContract, type Rule, type Statement } from "../rule.js";

function altered({ node, known }: Statement) {
  if (!("AlterDomainStmt" in node)) return undefined;
  const { subtype, typeName, def } = node.AlterDomainStmt;
  if (known.isFreshName("type", known.scope.name("type", strings(typeName)))) return undefined;
  const constraint = def !== undefined && "Constraint" in def ? def.Constraint : undefined;
  return { subtype, domain: quoted(...strings(typeName)), constraint };
}

/** SET NOT NULL, ADD without NOT VALID, VALIDATE. */
function isScan({
  subtype,
  constraint,
}: {
  subtype?: string | undefined;
  constraint: { skip_validation?: boolean } | undefined;
}): boolean {
  return subtype === "O" || subtype === "V" || (subtype === "C" && constraint?.skip_validation !== true);
}

const validated =
  "validate the constraint: before PostgreSQL 18 it stops the writes of every table with a column of the domain, so that they have to be small";

export const domainRules: Rule[] = [
  {
    name: "domain-scan",
    reason:
      "every table with a column of the domain is read, one after the other, while none of them takes writes",
    phases: allPhases,
    example: "ALTER DOMAIN zip ADD CONSTRAINT zip_length CHECK (length(VALUE) = 5);",
    find: (statement) => {
      const each = altered(statement);
      if (each === undefined || !isScan(each)) return [];
      const { source, start } = statement;
      if (each.constraint === undefined || each.constraint.contype !== "CONSTR_CHECK")
        return [
          {
            at: start,
            recipe: words(
              "a CHECK (… IS NOT NULL) on each table that has a column of the domain: NOT VALID in contract, and then validated",
            ),
          },
        ];
      const name = each.constraint.conname ?? `${each.domain.replace(/^.*\./, "")}_check`;
      const check = source.slice(
        source.find("CHECK", each.constraint.location ?? start)?.at ?? start,
        source.end,
      );
      return [
        {
          at: start,
          recipe: inTurn(
            migration(
              "contract",
              `ALTER DOMAIN ${each.domain} ADD CONSTRAINT ${quoted(name)} ${check} NOT VALID;`,
            ),
            migration("contract", `ALTER DOMAIN ${each.domain} VALIDATE CONSTRAINT ${quoted(name)};`, {
              assure: `domain-scan: ${validated}`,
            }),
          ),
        },
      ];
    },
  },
  {
    name: "change-domain",
    reason:
      "values of the domain that the live version writes are refused, or ones that it does not know come to it, from then on",
    phases: beforeContract,
    example: "ALTER DOMAIN zip SET DEFAULT '00000';",
    find: (statement) => {
      const each = altered(statement);
      return each === undefined || isScan(each)
        ? []
        : [{ at: statement.start, recipe: inContract(statement.source.text) }];
    },
  },
];
