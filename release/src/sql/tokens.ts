import { scanSync, type ScanToken } from "libpg-query";

/** The tokens of SQL without its comments. They start and end at bytes of UTF-8. */
export function tokensOf(sql: string): ScanToken[] {
  // The library prints tokens as JSON without escaping control characters. Blanks are as long, and end a
  // comment where these do.
  const blanked = sql
    .replace(/\r/g, "\n")
    .replace(/[^\P{Cc}\n]/gu, (control) => " ".repeat(Buffer.byteLength(control)));
  return scanSync(blanked).tokens.filter(({ tokenName }) => !tokenName.endsWith("_COMMENT"));
}
