import type { ReportFacts } from "./facts";

/** What came of a release, in a sentence. */
export interface Verdict {
  tone: "kept" | "back" | "open";
  text: string;
}

export function verdictOf({
  moves,
  analysis,
  live,
}: Pick<ReportFacts, "moves" | "analysis" | "live">): Verdict {
  const [release, ...since] = moves;
  if (release === undefined) return { tone: "open", text: "No color is live yet." };
  const { color, tag } = release.to;
  const back = since.find(({ kind }) => kind === "rollback");
  if (back !== undefined)
    return {
      tone: "back",
      text: `Rolled back: traffic went from ${color} (${tag}) to ${back.to.color} (${back.to.tag}). ${back.evidence.length > 0 ? "The analysis" : back.who}: ${back.why}`,
    };
  if (release.weight === 100 && live !== color)
    return {
      tone: "back",
      text: `Traffic is not on ${color} (${tag}) any more, and nothing says who has moved it.`,
    };
  return {
    tone: release.weight < 100 ? "open" : "kept",
    text: `Traffic ${release.weight < 100 ? `(${release.weight} %) ` : ""}is on ${color} (${tag}): ${analysis?.state ?? "nothing is on record"}.`,
  };
}
