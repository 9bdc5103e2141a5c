/** The rules that check a kind of statement, each in its phases; none: it is accepted in every phase. */
export type Verdict = readonly string[];

export const accepted: Verdict = [];

export const holds: Verdict = ["several-tables", "enum-value-used"];
