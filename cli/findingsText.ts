import type { Finding } from "@bluegreen/release/util/finding";
import { paint } from "./paint";
import { namedLines } from "./table";

/** A finding, and of several clusters the one that it is about. */
export type Located = Finding & { cluster: string | null };

const colored: Record<Finding["state"], (text: string) => string> = {
  well: paint.good,
  advice: paint.heed,
  broken: paint.bad,
  unknown: paint.heed,
};

/** Of the longest word, and two blanks. */
const stateWidth = 9;
const subjectWidth = 13;

/** A line for each thing that was examined, and below it what to do. */
export function findingsText(findings: Located[]): string {
  const lines = findings.map((finding) => {
    const { state, subject, says, cluster } = finding;
    const word = `${colored[state](state)}${" ".repeat(stateWidth - state.length)}`;
    const texts = [
      `${cluster === null ? "" : `${cluster}: `}${says}`,
      ...(finding.state === "well" ? [] : [`next: ${finding.next}`]),
    ];
    return `${word}${namedLines([[subject, texts]], subjectWidth).replaceAll("\n", `\n${" ".repeat(stateWidth)}`)}`;
  });
  const count = (state: Finding["state"]) => findings.filter((each) => each.state === state).length;
  return `${lines.join("\n")}\n\n${findings.length} checked: ${count("broken")} broken, ${count("unknown")} unknown, ${count("advice")} with advice.`;
}
