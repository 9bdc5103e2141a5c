import type { SqlFile } from "@bluegreen/release/lint/lint";

/** The migrations that a recipe consists of, in their order; none where it is words alone. */
export function recipeFiles(recipe: string): SqlFile[] {
  return recipe
    .split(/^(?=-- phase: )/m)
    .filter((text) => text.startsWith("-- phase: "))
    .map((sql, index) => ({ file: `${String(1000 + index)}_recipe.sql`, sql }))
    .filter(({ sql }) => sql.split("\n").some((line) => line.trim() !== "" && !line.startsWith("--")));
}
