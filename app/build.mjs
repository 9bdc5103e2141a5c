#!/usr/bin/env node
// Bundles the app into one CommonJS file that needs nothing but Node.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const RELEASES = ["v1", "v2"];
const FAULTS = ["none", "smoke", "errors", "slow", "crash", "late-crash", "leak"];
const USAGE = `usage: node app/build.mjs --release ${RELEASES.join("|")} --fault ${FAULTS.join("|")} --outfile FILE`;

function refuse(reason) {
  console.error(`${reason}\n${USAGE}`);
  process.exit(2);
}

function readOptions() {
  const text = { type: "string" };
  try {
    return parseArgs({ options: { release: text, fault: { type: "string", default: "none" }, outfile: text } }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

const { release, fault, outfile } = readOptions();
if (!RELEASES.includes(release)) refuse(`--release ${release} is refused: it must be one of ${RELEASES.join(", ")}`);
if (!FAULTS.includes(fault)) refuse(`--fault ${fault} is refused: it must be one of ${FAULTS.join(", ")}`);
if (!outfile) refuse("--outfile is missing: it names the file to write");

await build({
  entryPoints: [fileURLToPath(new URL("src/main.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  target: "node22",
  format: "cjs",
  loader: { ".html": "text" },
  define: { BUILD_RELEASE: JSON.stringify(release), BUILD_FAULT: JSON.stringify(fault) },
  // pg loads its native binding only when asked to, and nothing here asks.
  external: ["pg-native"],
  logLevel: "warning",
});
