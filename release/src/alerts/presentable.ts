import { shown, shownIn } from "../util/shown.js";
import type { Alert } from "./alert.js";

/** More is for the logs; every receiver takes this much. */
const linesMax = 50;
const lineMax = 500;

/**
 * An alert that may leave for somebody else's servers. What it quotes comes from pods and error
 * texts: no line or list is endless, nothing moves a cursor or turns the reading direction, and
 * secrets are gone.
 */
export function presentable({ evidence, ...alert }: Alert): Alert {
  const all = evidence.flatMap((text) => text.split(/\r\n?|\n/)).filter((line) => line.trim() !== "");
  // Several at once, and longer than they are shown: what is hidden may be longer than a line.
  const first = all.slice(0, 4 * linesMax).map((line) => line.slice(0, 4 * lineMax));
  const lines = shown(first.join("\n"))
    .split("\n")
    .map(oneLine)
    .filter((line) => line.trim() !== "");
  const left = lines.length - linesMax + all.length - first.length;
  const safe = shownIn(alert);
  return {
    ...safe,
    who: oneLine(safe.who),
    why: oneLine(safe.why),
    evidence:
      left > 0 ? [...lines.slice(0, linesMax), `… ${left} more ${left === 1 ? "line" : "lines"}`] : lines,
    links: (safe.links ?? [])
      .filter(({ url }) => /^https?:\/\//.test(url) && URL.canParse(url))
      .map(({ text, url }) => ({ text: oneLine(text), url: new URL(url).href })),
  };
}

function oneLine(text: string): string {
  return shortened(text.replaceAll(/[\t\n]+/g, " "), lineMax);
}

/** At most so many characters; never half of one. */
export function shortened(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  // The first half of a pair that makes one character.
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
