import { stripVTControlCharacters } from "node:util";
import type { Alert } from "./alert.js";

/** More is for the logs; every receiver takes this much. */
const linesMax = 50;
const lineMax = 500;

/**
 * An alert that may leave for somebody else's servers. What it quotes comes from pods and error
 * texts: no line or list is endless, nothing moves a cursor or turns the reading direction, and
 * passwords in URLs are gone.
 */
export function presentable(alert: Alert): Alert {
  const lines = alert.evidence.flatMap((text) => text.split("\n")).map(plain).filter((line) => line.trim() !== "");
  const left = lines.length - linesMax;
  return {
    ...alert,
    who: plain(alert.who),
    why: plain(alert.why),
    evidence: left > 0 ? [...lines.slice(0, linesMax), `… ${left} more ${left === 1 ? "line" : "lines"}`] : lines,
    links: (alert.links ?? []).filter(({ url }) => /^https?:\/\//.test(url) && URL.canParse(url)).map(({ text, url }) => ({ text: plain(text), url: new URL(url).href })),
  };
}

function plain(text: string): string {
  const visible = stripVTControlCharacters(text).replaceAll(/[\t\r\n]+/g, " ").replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, "");
  return shortened(visible.replaceAll(/(\w:\/\/[^\s:@/]*:)[^\s"'<>]+@/g, "$1***@"), lineMax);
}

/** At most so many characters; never half of one. */
export function shortened(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  // The first half of a pair that makes one character.
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
