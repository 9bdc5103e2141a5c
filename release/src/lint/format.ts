import type { Finding } from "./lint.js";
import { printable } from "../sql/tree.js";

export interface Style {
  /** Emphasis for a terminal: never the only carrier of anything. */
  bold: (text: string) => string;
  dim: (text: string) => string;
}

/** For people: place, rule, reason, the line, and what to write instead. */
export function formatForPeople(findings: Finding[], files: number, { bold, dim }: Style): string {
  const parts = findings.map(({ file, line, column, rule, reason, recipe, effect, excerpt, phase }) =>
    [
      `${bold(`${printable(file)}:${line}:${column}`)}  ${bold(rule)}${phase === undefined ? "" : ` (${phase})`}`,
      ...indent(cleanLines(reason), "  "),
      ...(effect === undefined ? [] : [`  ${effect}`]),
      `${dim(`  ${line} |`)} ${printable(excerpt.replaceAll("\t", " "))}`,
      "  instead:",
      ...indent(cleanLines(recipe), "    "),
      "",
    ].join("\n"),
  );
  return `${parts.join("\n")}${parts.length > 0 ? "\n" : ""}${summary(findings, files)}`;
}

function summary(findings: Finding[], files: number): string {
  const what = `${findings.length} ${findings.length === 1 ? "finding" : "findings"} in ${files} ${files === 1 ? "migration" : "migrations"}`;
  return findings.length === 0
    ? what
    : `${what}\nWhere a rule does not apply, say why at the top of the file: -- assure RULE: REASON`;
}

/** Annotations of a GitHub workflow, beside the lines of a pull request. */
export function formatForGithub(findings: Finding[]): string {
  return findings
    .map(({ file, line, column, rule, reason, recipe }) => {
      const message = [reason, "instead:", recipe].flatMap(cleanLines).join("\n");
      return `::error file=${property(printable(file))},line=${line},col=${column},title=${property(rule)}::${data(message)}`;
    })
    .join("\n");
}

export function formatAsJson(findings: Finding[], files: number): string {
  return JSON.stringify({ files, findings }, null, 2);
}

/** GitHub's own escapes: whatever a file holds, it is one command. */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

function cleanLines(text: string): string[] {
  return text.split("\n").map(printable);
}

function indent(lines: string[], by: string): string[] {
  return lines.map((line) => `${by}${line}`);
}
