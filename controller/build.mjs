#!/usr/bin/env node
// Bundles the analysis controller into one CommonJS file that needs nothing but Node: node controller/build.mjs OUTFILE
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const [outfile] = process.argv.slice(2);
if (!outfile) {
  console.error("usage: node controller/build.mjs OUTFILE");
  process.exit(2);
}

await build({
  entryPoints: [fileURLToPath(new URL("main.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  target: "node22",
  format: "cjs",
  // pg loads its native binding only when asked to, and nothing here asks.
  external: ["pg-native"],
  // Neither the release's own code nor a library's can run a command from here.
  alias: Object.fromEntries(
    ["child_process", "node:child_process"].map((name) => [
      name,
      fileURLToPath(new URL("noCommands.ts", import.meta.url)),
    ]),
  ),
  logLevel: "warning",
});
