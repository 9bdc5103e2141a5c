/**
 * The process of all steps: the SDK's own program for it. `bundle.mjs` makes one file of both.
 * Pulumi starts it while the program loads (preload.ts).
 */
import "./loadSteps";
import "@pulumi/pulumi/cmd/dynamic-provider/index.js";

// How Pulumi ends it; a step that has to undo something first listens, too. Without an exit Node.js keeps
// nothing of what it has compiled for the next one.
process.on("SIGINT", () => {
  if (process.listenerCount("SIGINT") === 1) process.exit();
});
