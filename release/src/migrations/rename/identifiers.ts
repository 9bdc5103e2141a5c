import { createHash } from "node:crypto";
import { escapeIdentifier } from "pg";
import { tokensOf } from "../../sql/tokens.js";

/** PostgreSQL cuts longer names off, and two of them may become one. */
export const longestName = 63;

/** A name as SQL: quoted where PostgreSQL would otherwise read another one, or a keyword. */
export function identifier(name: string): string {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) return escapeIdentifier(name);
  const [token] = tokensOf(name);
  return token?.keywordName === "NO_KEYWORD" || token?.keywordName === "UNRESERVED_KEYWORD"
    ? name
    : escapeIdentifier(name);
}

/** A name made of others. Where that would be too long, the middle becomes a hash of it all. */
export function joinName(...parts: string[]): string {
  const whole = parts.join("_");
  if (Buffer.byteLength(whole) <= longestName) return whole;
  const end = `_${createHash("sha256").update(whole).digest("hex").slice(0, 8)}`;
  let begin = "";
  for (const character of whole) {
    if (Buffer.byteLength(begin + character) > longestName - end.length) break;
    begin += character;
  }
  return begin + end;
}
