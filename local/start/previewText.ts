import type { PreviewResult, PreviewStep } from "../engine/engine";

/** So many changes of a resource are named; the whole preview is a command away. */
const shownChanges = 3;

/** A preview in a line per resource, without those that stay as they are. */
export function previewText({ steps, changes }: PreviewResult): string {
  const changed = steps.filter(({ op }) => op !== "same");
  const width = Math.max(0, ...changed.map((step) => title(step).length));
  const lines = changed.map((step) => `  ${step.op.padEnd(7)}  ${title(step).padEnd(width)}  ${details(step)}`.trimEnd());
  return [...lines, `  ${String(changes.same ?? 0)} others stay as they are`].join("\n");
}

function title({ type, name }: PreviewStep): string {
  return `${type.split(":").at(-1) ?? type} ${name}`;
}

function details({ op, diff }: PreviewStep): string {
  if (op !== "update") return "";
  const rest = diff.length - shownChanges;
  const shown = diff.slice(0, shownChanges).map(({ path, old, new: wanted }) => `${path.split(".").at(-1) ?? path}: ${old ?? "none"} → ${wanted ?? "none"}`);
  return [...shown, ...(rest > 0 ? [`${String(rest)} more`] : [])].join(", ");
}
