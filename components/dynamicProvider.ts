/**
 * The process of all steps: the SDK's own program for it. `bundle.mjs` makes one file of both.
 * Pulumi starts it while the program loads (preload.ts), so that what every step runs with loads meanwhile.
 */
import "@pulumi/pulumi/cmd/dynamic-provider/index.js";

async function loadSteps(): Promise<void> {
  const { steps } = await import("@bluegreen/release/provider");
  await steps.liveLock.load();
}

// Once it has said where it listens. What does not load fails in the step that asks for it, which says so.
setImmediate(() => void loadSteps().catch(() => undefined));

// How Pulumi ends it; a step that has to undo something first listens, too. Without an exit Node.js keeps
// nothing of what it has compiled for the next one.
process.on("SIGINT", () => {
  if (process.listenerCount("SIGINT") === 1) process.exit();
});
