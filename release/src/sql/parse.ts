import { hasSqlDetails, loadModule, parseSync, scanSync, type Node, type ScanToken } from "libpg-query";
import { messageOf } from "../util/userError.js";

/** One statement of a file. Offsets count bytes of UTF-8, as PostgreSQL's own do. */
export interface RawStatement {
  node: Node;
  start: number;
  end: number;
}

type Parsed = { statements: RawStatement[] } | { error: string; at: number };

/** PostgreSQL's grammar is WebAssembly, which loads asynchronously; everything after that is synchronous. */
export const loadGrammar: () => Promise<void> = loadModule;

export function parseSql(sql: string, bytes: Buffer): Parsed {
  // To the grammar, which is written in C, a text ends at its first NUL: what follows would go unseen.
  const nul = bytes.indexOf(0);
  if (nul >= 0) return { error: "a NUL byte, which PostgreSQL does not take", at: nul };
  if (sql === "") return { statements: [] };
  try {
    return {
      statements: (parseSync(sql).stmts ?? []).flatMap(
        ({ stmt, stmt_location: start = 0, stmt_len: length }) =>
          stmt === undefined
            ? []
            : [{ node: stmt, start, end: length === undefined ? bytes.length : start + length }],
      ),
    };
  } catch (error) {
    // Errors, unlike statements, are placed by characters.
    if (hasSqlDetails(error))
      return { error: messageOf(error), at: byteOf(sql, error.sqlDetails?.cursorPosition ?? 0) };
    return {
      error: error instanceof RangeError ? "an expression nested too deeply to be read" : messageOf(error),
      at: 0,
    };
  }
}

function byteOf(sql: string, characters: number): number {
  let units = 0;
  let seen = 0;
  for (const character of sql) {
    if (seen === characters) break;
    seen++;
    units += character.length;
  }
  return Buffer.byteLength(sql.slice(0, units));
}

/** The tokens of SQL without its comments. They start and end at bytes of UTF-8. */
export function tokensOf(sql: string): ScanToken[] {
  // The library prints tokens as JSON without escaping control characters. Blanks are as long, and end a
  // comment where these do.
  const blanked = sql
    .replace(/\r/g, "\n")
    .replace(/[^\P{Cc}\n]/gu, (control) => " ".repeat(Buffer.byteLength(control)));
  return scanSync(blanked).tokens.filter(({ tokenName }) => !tokenName.endsWith("_COMMENT"));
}
