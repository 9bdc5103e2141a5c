// Preloaded into the processes the engine starts. Their stdin is a pipe from the engine: when it closes, the
// engine is gone, killed perhaps, and nothing may go on changing the world behind the back of the next run.
"use strict";
process.stdin.on("end", () => process.exit(1)).on("error", () => process.exit(1));
process.stdin.resume();
process.stdin.unref();
