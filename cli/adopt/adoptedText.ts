import { shown } from "@bluegreen/release/util/shown";
import { stringify } from "yaml";
import { paint } from "../paint";
import { namedLines } from "../table";
import type { Adoption } from "./adopt";
import type { Note } from "./notes";

/** A table of what became of the manifests. */
export function adoptionText({ app, carried, made, changed, left, refused }: Adoption): string {
  const parts: [word: string, notes: Note[]][] = [
    [paint.good("carried"), carried],
    [paint.good("made"), made],
    [paint.heed("changed"), changed],
    ["left", left],
    [paint.bad("refused"), refused],
  ];
  const lines = parts
    .filter(([, notes]) => notes.length > 0)
    .map(([word, notes]) =>
      [
        word,
        ...notes.map(
          ({ object, field, why }) => `  ${namedLines([[object, [`${field}: ${why}`]]], objectWidth)}`,
        ),
      ].join("\n"),
    );
  return shown([`Adopted as ${app}:`, ...lines].join("\n"));
}

const objectWidth = 28;

/** The file of podTemplateFile. */
export function podTemplateText(podTemplate: Adoption["podTemplate"]): string {
  return `# Pods as they ran before. null takes one of the stricter defaults away, which a new app has:\n# remove such a line, and its default holds.\n${stringify(podTemplate)}`;
}
