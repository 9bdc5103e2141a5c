#!/usr/bin/env node
// `bluegreen`. In its repository it brings Node.js, packages and the build where they are missing; as an installed
// package it has them.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const bootstrap = new URL("../local/bootstrap.mjs", import.meta.url);
if (existsSync(bootstrap)) {
  process.argv.splice(2, 0, "cli/main.ts");
  await import(bootstrap);
} else {
  createRequire(import.meta.url)("../dist/cli/main.js");
}
