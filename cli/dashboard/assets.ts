import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Asset {
  type: string;
  text: string;
}

/** Made by bundle.mjs of what is in pages/. */
export const pagesFolder = join(__dirname, "..", "..", "dist", "pages");

/** What a browser loads. */
export function readAssets(): Map<string, Asset> {
  const file = (name: string, type: string): Asset => ({
    type,
    text: readFileSync(join(pagesFolder, name), "utf8"),
  });
  return new Map([
    ["", file("index.html", "text/html")],
    ["main.js", file("main.js", "text/javascript")],
    ["style.css", file("style.css", "text/css")],
  ]);
}
