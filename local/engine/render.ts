/** Previews and progress as text: symbols and words carry the meaning, color only repeats it. */
import { styleText } from "node:util";
import type { Diagnostic } from "./errors";
import type { Changes, Operation, Step } from "./events";
import { nameOf } from "./urn";
import { showChange, type ShownChange } from "./text";

const SYMBOLS: Record<Operation, string> = {
  create: "+", update: "~", replace: "+-", delete: "-", same: " ", read: ">", refresh: "~",
};
const COLORS: Record<Operation, "green" | "yellow" | "magenta" | "red" | "gray" | "cyan"> = {
  create: "green", update: "yellow", replace: "magenta", delete: "red", same: "gray", read: "cyan", refresh: "yellow",
};
const PAST: Record<Operation, string> = {
  create: "created", update: "updated", replace: "replaced", delete: "deleted", same: "unchanged", read: "read", refresh: "refreshed",
};

export interface Style {
  color: boolean;
}

type Color = Parameters<typeof styleText>[0];

/** Whether there is color is decided by `Style`, for whichever stream the text goes to. */
const colored = (color: Color, text: string): string => styleText(color, text, { validateStream: false });

function paint(style: Style, op: Operation, text: string): string {
  return style.color ? colored(COLORS[op], text) : text;
}

function changeLine(change: ShownChange, width: number): string {
  const symbol = change.kind === "add" ? "+" : change.kind === "delete" ? "-" : "~";
  const path = change.path.padEnd(width);
  if (change.kind === "add") return `        ${symbol} ${path}  ${change.new ?? ""}`;
  if (change.kind === "delete") return `        ${symbol} ${path}  ${change.old ?? ""}`;
  return `        ${symbol} ${path}  ${change.old ?? ""} → ${change.new ?? ""}`;
}

/** One line a resource, aligned; under it what changes. Resources that stay as they are are only counted. */
export function renderSteps(steps: readonly Step[], style: Style): string {
  const shown = steps.filter((step) => step.op !== "same");
  const typeWidth = Math.max(0, ...shown.map((step) => step.type.length));
  const opWidth = Math.max(0, ...shown.map((step) => step.op.length));
  return shown
    .map((step) => {
      const reasons = step.reasons.length > 0 ? `  [${step.reasons.join(", ")}]` : "";
      const head = `${SYMBOLS[step.op].padStart(4)}  ${step.op.padEnd(opWidth)}  ${step.type.padEnd(typeWidth)}  ${step.name}${reasons}`;
      const changes = step.diff.map(showChange);
      const width = Math.max(0, ...changes.map((change) => change.path.length));
      return [paint(style, step.op, head), ...changes.map((change) => changeLine(change, width))].join("\n");
    })
    .join("\n");
}

export function renderChanges(changes: Changes, past: boolean): string {
  const order: Operation[] = ["create", "update", "replace", "delete", "read", "refresh", "same"];
  const parts = order.flatMap((op) => {
    const count = changes[op] ?? 0;
    if (count === 0) return [];
    return op === "same" ? [`${count} unchanged`] : [`${SYMBOLS[op]} ${count} ${past ? PAST[op] : `to ${op}`}`];
  });
  return parts.length > 0 ? `Resources: ${parts.join(", ")}` : "Resources: none";
}

export function renderDiagnostics(diagnostics: readonly Diagnostic[], style: Style): string {
  return diagnostics
    .filter((one) => one.severity !== "info")
    .map(({ severity, message, urn }) => {
      const text = `${severity}: ${urn === undefined ? "" : `${nameOf(urn)}: `}${message}`;
      return style.color ? colored(severity === "error" ? "red" : "yellow", text) : text;
    })
    .join("\n");
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** The lines of a run as it goes, one when a step starts that lasts, one when it ends. */
export function progressLine(step: Step, state: "started" | "done" | "failed", milliseconds: number, style: Style): string {
  const symbol = SYMBOLS[step.op].padStart(4);
  const what = `${step.type}  ${step.name}`;
  if (state === "started") return paint(style, step.op, `${symbol}  ${what}  ${step.op} …`);
  if (state === "failed") return style.color ? colored("red", `${symbol}  ${what}  FAILED (${seconds(milliseconds)})`) : `${symbol}  ${what}  FAILED (${seconds(milliseconds)})`;
  return paint(style, step.op, `${symbol}  ${what}  ${PAST[step.op]} (${seconds(milliseconds)})`);
}
