import type { RawStatement } from "./parse.js";
import type { Command } from "./rule.js";
import { tokensOf } from "./tokens.js";

const opening = new Set(["(", "["]);
const closing = new Set([")", "]"]);

/** The commands of an ALTER TABLE. The grammar gives most of them no place, so that it is read off the tokens: commas part them. */
export function commandsOf({ node, start, end }: RawStatement, bytes: Buffer): Command[] {
  if (!("AlterTableStmt" in node)) return [];
  const { relation, cmds = [] } = node.AlterTableStmt;
  const commands = cmds.flatMap((each) => ("AlterTableCmd" in each ? [each.AlterTableCmd] : []));
  const starts = commandStarts(bytes.toString("utf8", start, end), (relation?.location ?? start) - start);
  return commands.map((command, index) => ({ command, relation, at: start + (starts.length === commands.length ? (starts[index] ?? 0) : 0) }));
}

function commandStarts(sql: string, relation: number): number[] {
  const tokens = tokensOf(sql).filter(({ start }) => start >= relation);
  // The table's name: name [. name] [*], and the parenthesis of ONLY (name).
  let first = 1;
  while (tokens[first]?.text === ".") first += 2;
  while (tokens[first]?.text === "*" || tokens[first]?.text === ")") first++;
  const starts = [tokens[first]?.start ?? 0];
  let depth = 0;
  tokens.forEach(({ text }, index) => {
    if (index < first) return;
    if (opening.has(text)) depth++;
    if (closing.has(text)) depth--;
    if (text === "," && depth === 0) starts.push(tokens[index + 1]?.start ?? 0);
  });
  return starts;
}
