import type { ReportFacts } from "./facts";

/** What came of a release, in a sentence. */
export interface Verdict {
  tone: "kept" | "back" | "open";
  text: string;
}

export function verdictOf({ moves, watch, live }: Pick<ReportFacts, "moves" | "watch" | "live">): Verdict {
  const [release, ...since] = moves;
  if (release === undefined) return { tone: "open", text: "No color has users yet." };
  const { color, tag } = release.to;
  const back = since.find(({ kind }) => kind === "rollback");
  if (back !== undefined) return { tone: "back", text: `Taken back: users went from ${color} (${tag}) to ${back.to.color} (${back.to.tag}). ${back.evidence.length > 0 ? "The watch" : back.who}: ${back.why}` };
  if (release.share === 100 && live !== color) return { tone: "back", text: `Users are not on ${color} (${tag}) any more, and nothing says who has moved them.` };
  return { tone: release.share < 100 ? "open" : "kept", text: `Users ${release.share < 100 ? `(${release.share} %) ` : ""}are on ${color} (${tag}): ${watch?.state ?? "nothing is on record"}.` };
}
