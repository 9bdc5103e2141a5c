import { colors } from "@bluegreen/release";
import type { Plan } from "@bluegreen/release/steps/plan";
import type { Weights } from "@bluegreen/release/routers/weights";
import { paint } from "./paint";
import { namedLines } from "./table";

/** By it a workflow finds the comment that it has to rewrite. */
export const stickyMark = "<!-- bluegreen plan -->";

/** Of the longest name, and two blanks. */
const nameWidth = 12;

/** The plan in a line for each thing that somebody who decides has to know. */
export function planText(plan: Plan): string {
  return namedLines(
    planRows(plan).map(([name, texts]) => [
      name,
      name === "refused" && plan.refused.length > 0 ? texts.map(paint.bad) : texts,
    ]),
    nameWidth,
  );
}

/** The same as a comment on a pull request. What others have written stays text in it. */
export function planMarkdown(plan: Plan): string {
  const { app, namespace, refused } = plan;
  const rows = planRows(plan).filter(([name]) => name !== "refused");
  const table = [
    "| | |",
    "| --- | --- |",
    ...rows.map(([name, texts]) => `| **${name}** | ${texts.map(inCell).join("<br>")} |`),
  ];
  const verdict =
    refused.length === 0 ? "Nothing is refused." : `**Refused:**\n\n${refused.map(inFence).join("\n\n")}`;
  return [stickyMark, `### Release of ${app} in ${namespace}`, "", ...table, "", verdict].join("\n");
}

/** What there is to decide by: names, and what there is to say about each. */
export function planRows({
  weights,
  elsewhere,
  tags,
  rollouts,
  migrations,
  gates,
  rollback,
  refused,
}: Plan): [name: string, texts: string[]][] {
  return [
    [
      "traffic",
      [
        weightsText(weights, tags),
        ...elsewhere.map(
          ({ cluster, live }) =>
            `in ${cluster} ${live === null ? "there is none yet" : `it is on ${live} now`}`,
        ),
      ],
    ],
    [
      "rolls out",
      orNothing(
        rollouts.map(
          ({ color, from, to, hasTraffic }) =>
            `${color}: ${from === to ? `${to ?? "none"}, with other config` : `${from ?? "none"} → ${to ?? "none"}`}${hasTraffic ? ", live" : ""}`,
        ),
      ),
    ],
    [
      "migrations",
      "unreadable" in migrations
        ? [`not known: ${migrations.unreadable}`]
        : orNothing(
            migrations.due.flatMap(({ id, name, phase, findings }) => [
              `${id}_${name} (${phase}): ${findings.length === 0 ? "nothing found by lint" : `${findings.length} found by lint`}`,
              ...findings,
            ]),
          ),
    ],
    ["gates", [gates.join(", ") || "none"]],
    ["rollback", [`${rollback.possible ? "possible" : "not possible"} afterwards: ${rollback.why}`]],
    ["refused", orNothing(refused)],
  ];
}

function orNothing(texts: string[]): string[] {
  return texts.length === 0 ? ["nothing"] : texts;
}

function weightsText({ before, after }: Plan["weights"], tags: Plan["tags"]): string {
  const byColor = (weights: Weights) =>
    colors
      .flatMap((color) =>
        weights[color] === 0 ? [] : [`${weights[color] === 100 ? "" : `${weights[color]} % `}${color}`],
      )
      .join(", ");
  const tagged = colors.flatMap((color) => (after[color] === 0 ? [] : [tags[color] ?? "none"])).join(", ");
  if (before !== null && before.blue === after.blue) return `stays on ${byColor(after)} (${tagged})`;
  return `${before === null ? "none" : byColor(before)} → ${byColor(after)} (${tagged})`;
}

function inCell(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_[\]|]/g, "\\$&")
    .replaceAll("\n", "<br>");
}

/** Longer than whatever the text could end it with. */
function inFence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
