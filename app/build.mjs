#!/usr/bin/env node
// Bundles the app into one CommonJS file that needs nothing but Node.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const RELEASES = ["v1", "v2"];
const FAULTS = ["none", "smoke", "errors", "slow", "crash", "late-crash", "leak"];
const USAGE = `usage: node app/build.mjs --release ${RELEASES.join("|")} --fault ${FAULTS.join("|")} [--knows MIGRATION] --outfile FILE`;

function refuse(reason) {
  console.error(`${reason}\n${USAGE}`);
  process.exit(2);
}

function readOptions() {
  const text = { type: "string" };
  try {
    return parseArgs({
      options: { release: text, fault: { type: "string", default: "none" }, knows: text, outfile: text },
    }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

/** The migration that each release cannot do without. */
const NEEDS = { v1: "0001", v2: "0002" };

const { release, fault, knows = NEEDS[release], outfile } = readOptions();
if (!RELEASES.includes(release))
  refuse(`--release ${release} is refused: it must be one of ${RELEASES.join(", ")}`);
if (!FAULTS.includes(fault)) refuse(`--fault ${fault} is refused: it must be one of ${FAULTS.join(", ")}`);
if (!/^\d{4,}$/.test(knows))
  refuse(`--knows ${knows} is refused: it is the id of a migration, four digits or more`);
if (!outfile) refuse("--outfile is missing: it names the file to write");

await build({
  entryPoints: [fileURLToPath(new URL("src/main.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  target: "node22",
  format: "cjs",
  loader: { ".html": "text" },
  define: {
    BUILD_RELEASE: JSON.stringify(release),
    BUILD_FAULT: JSON.stringify(fault),
    BUILD_SCHEMA: JSON.stringify({ needs: NEEDS[release], knows }),
  },
  // pg loads its native binding only when asked to, and nothing here asks.
  external: ["pg-native"],
  logLevel: "warning",
});
