#!/usr/bin/env node
// `bluegreen`: brings Node.js, packages and the build where they are missing, then runs main.ts.
process.argv.splice(2, 0, "cli/main.ts");
await import("../local/bootstrap.mjs");
