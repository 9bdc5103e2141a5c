/** The URNs a resource may have had before: its aliases, and those its parents' aliases give it. */
import type { Alias, Goal } from "./goal";
import { makeUrn, nameOf, typeOf } from "./urn";

interface Place {
  project: string;
  stack: string;
}

function resolveAlias(alias: Alias, goal: Goal, parents: readonly string[], place: Place): string[] {
  if ("urn" in alias) return [alias.urn];
  const under = alias.noParent ? [""] : alias.parent === undefined ? parents : [alias.parent];
  return under.map((parent) =>
    makeUrn(alias.stack || place.stack, alias.project || place.project, parent, alias.type || goal.type, alias.name || goal.name),
  );
}

export function aliasUrns(urn: string, goal: Goal, goals: ReadonlyMap<string, Goal>, place: Place): string[] {
  const parentGoal = goals.get(goal.parent);
  const parentAliases = parentGoal ? aliasUrns(goal.parent, parentGoal, goals, place) : [];
  const own = goal.aliases.flatMap((alias) => resolveAlias(alias, goal, [goal.parent, ...parentAliases], place));
  // A child that is named after its parent was named after the parent's old name.
  const inherited = parentAliases.map((parent) => {
    const parentName = nameOf(goal.parent);
    const name = goal.name.startsWith(parentName) ? nameOf(parent) + goal.name.slice(parentName.length) : goal.name;
    return makeUrn(place.stack, place.project, parent, goal.type, name);
  });
  return [...own, ...inherited].filter((alias) => alias !== urn && typeOf(alias) !== "");
}
