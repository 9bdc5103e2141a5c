import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

export interface Asset {
  type: string;
  text: string;
}

const folder = join(__dirname, "..", "..", "pages");

/** What a browser loads: bundled when the dashboard starts, in a fraction of a second, so that nothing built lies in the repository. */
export async function makeAssets(): Promise<Map<string, Asset>> {
  const { outputFiles } = await build({ entryPoints: [join(folder, "dashboard", "main.tsx")], bundle: true, write: false, minify: true, platform: "browser", target: "es2023", format: "esm", jsx: "automatic", jsxImportSource: "preact", logLevel: "silent" });
  const file = (name: string) => readFileSync(join(folder, name), "utf8");
  return new Map([
    ["", { type: "text/html", text: file("dashboard/index.html") }],
    ["main.js", { type: "text/javascript", text: outputFiles.map(({ text }) => text).join("") }],
    ["style.css", { type: "text/css", text: file("style.css") }],
  ]);
}
