#!/usr/bin/env node
// `bluegreen`: brings Node.js, packages and the build where they are missing, then runs main.ts.
import { fileURLToPath } from "node:url";

// In whatever folder it is called: TypeScript's options are this repository's.
process.env.TS_NODE_PROJECT = fileURLToPath(new URL("../tsconfig.json", import.meta.url));
process.argv.splice(2, 0, "cli/main.ts");
await import("../local/bootstrap.mjs");
