import { tokensOf, type RawStatement } from "../sql/parse.js";
import type { Command } from "./rule.js";

const opening = new Set(["(", "["]);
const closing = new Set([")", "]"]);

interface Place {
  start: number;
  end: number;
}

/**
 * The commands of an ALTER TABLE. The grammar gives most of them no place, so that it is read off the tokens:
 * commas part them.
 */
export function commandsOf({ node, start, end }: RawStatement, bytes: Buffer): Command[] {
  if (!("AlterTableStmt" in node)) return [];
  const { relation, cmds = [], objtype } = node.AlterTableStmt;
  const commands = cmds.flatMap((each) => ("AlterTableCmd" in each ? [each.AlterTableCmd] : []));
  const { first, places } = placesOf(
    bytes.toString("utf8", start, end),
    (relation?.location ?? start) - start,
  );
  const head = bytes.toString("utf8", start + first, start + (places[0]?.start ?? 0)).trim();
  return commands.map((command, index) => {
    const place = places.length === commands.length ? places[index] : undefined;
    const at = start + (place?.start ?? 0);
    const stop = start + (place?.end ?? 0);
    return {
      command,
      relation,
      of: objtype ?? "OBJECT_TABLE",
      head,
      at,
      end: stop,
      sql: `${head} ${bytes.toString("utf8", at, stop)}`,
    };
  });
}

function placesOf(sql: string, relation: number): { first: number; places: Place[] } {
  const all = tokensOf(sql);
  const tokens = all.filter(({ start }) => start >= relation);
  // The table's name: name [. name] [*], and the parenthesis of ONLY (name).
  let first = 1;
  while (tokens[first]?.text === ".") first += 2;
  while (tokens[first]?.text === "*" || tokens[first]?.text === ")") first++;
  const last: Place = { start: tokens[first]?.start ?? 0, end: 0 };
  const places = [last];
  let depth = 0;
  tokens.forEach(({ text, end }, index) => {
    if (index < first) return;
    if (opening.has(text)) depth++;
    if (closing.has(text)) depth--;
    const place = places.at(-1) ?? last;
    if (text === "," && depth === 0) places.push({ start: tokens[index + 1]?.start ?? 0, end: 0 });
    else place.end = end;
  });
  return { first: all[0]?.start ?? 0, places };
}
