import type { Phase } from "./rule.js";

interface Head {
  noTransaction?: boolean;
  /** TABLE by KEY */
  batch?: string;
  /** RULE: REASON */
  assure?: string;
}

/** A migration of its own, with what its header says. */
export function migration(
  phase: Phase,
  sql: string,
  { noTransaction = false, batch, assure }: Head = {},
): string {
  const lines = [
    `-- phase: ${phase}`,
    ...(noTransaction ? ["-- no-transaction"] : []),
    ...(batch === undefined ? [] : [`-- batch: ${batch}`]),
    ...(assure === undefined ? [] : [`-- assure ${assure}`]),
  ];
  return `${lines.join("\n")}\n${sql}`;
}

/** The same statement, later. */
export function inContract(sql: string): string {
  return migration("contract", `${sql};`);
}

/** What no other SQL does as well: said in words. */
export function words(...lines: string[]): string {
  return lines.map((line) => `-- ${line}`).join("\n");
}

/** Migrations one after the other. */
export function inTurn(...migrations: string[]): string {
  return migrations.join("\n\n");
}
