import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { repositoryDir } from "../local/paths";

export const architectureFile = join(repositoryDir, "docs", "architecture.md");

const fence = z.object({
  layers: z.array(z.array(z.string())),
  parts: z.record(z.string(), z.array(z.string())),
});

/** What the page does not draw: they may import nearly all, and nothing that runs in production imports them. */
const unseen = ["tests", "bench", "docs", "examples", "app"];

/** The page as it is, with the diagram as the rules of imports have it. */
export async function architectureText(): Promise<string> {
  const rules: unknown = await import(join(repositoryDir, ".dependency-cruiser.mjs"));
  const { layers, parts } = fence.parse(rules);
  const drawn = Object.entries(parts).filter(([part]) => !unseen.includes(part));
  const rows = layers.map((row, index) => `    layer${index}["${row.join(", ")}"]`).reverse();
  const chain = layers.map((_row, index) => `layer${index}`).reverse();
  const diagram = [
    "```mermaid",
    "flowchart TD",
    ...drawn.flatMap(([part, others]) =>
      others.filter((other) => !unseen.includes(other)).map((other) => `  ${part} --> ${other}`),
    ),
    "  subgraph release",
    ...rows,
    `    ${chain.join(" --> ")}`,
    "  end",
    "```",
  ].join("\n");
  return readFileSync(architectureFile, "utf8").replace(/```mermaid\n[^`]*```/, () => diagram);
}
