import { inContract } from "./recipe.js";
import { beforeContract, type Command, type Phase, type Rule, type Statement } from "./rule.js";

/** A command of ALTER TABLE, on a table that is in use. */
export const alters = (
  name: string,
  reason: string,
  phases: readonly Phase[],
  example: string,
  isBad: (each: Command, statement: Statement) => boolean,
  recipe: (each: Command, statement: Statement) => string,
): Rule => ({
  name,
  reason,
  phases,
  example,
  find: (statement) =>
    statement.commands
      .filter((each) => isBad(each, statement) && !statement.known.isFreshRelation(each.relation))
      .map((each) => ({ at: each.at, recipe: recipe(each, statement) })),
});

/** A statement that is right when the live version is gone. */
export const later = (
  name: string,
  reason: string,
  example: string,
  isBad: (statement: Statement) => boolean,
): Rule => ({
  name,
  reason,
  phases: beforeContract,
  example,
  find: (statement) =>
    isBad(statement) ? [{ at: statement.start, recipe: inContract(statement.source.text) }] : [],
});

/** A command of ALTER TABLE that is. */
export const commandLater = (
  name: string,
  reason: string,
  example: string,
  isBad: (command: Command, statement: Statement) => boolean,
): Rule => ({
  name,
  reason,
  phases: beforeContract,
  example,
  find: (statement) =>
    statement.commands
      .filter((each) => !statement.known.isFreshRelation(each.relation) && isBad(each, statement))
      .map(({ at, sql }) => ({ at, recipe: inContract(sql) })),
});
