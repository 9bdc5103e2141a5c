// Preloaded by whatever runs TypeScript of this repository: a third of the processor time of its own
// compiler, or less. The program itself is loaded by Pulumi's runner, with TypeScript's: a resource's state
// holds the text of its step.
"use strict";
const { join } = require("node:path");

require("ts-node").register({
  project: join(__dirname, "..", "tsconfig.json"),
  transpileOnly: true,
  swc: true,
  // The newest that ts-node knows by name.
  compilerOptions: { target: "es2022" },
});
