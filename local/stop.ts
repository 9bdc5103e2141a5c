/**
 * `npm run stop`: ends and removes everything that `npm start` has made on this machine, and nothing else.
 */
import { existsSync } from "node:fs";
import { messageOf } from "@bluegreen/release";
import { stageDir } from "./paths";
import { stopStage } from "./stage";
import { localHome, removeHome } from "./start/home";

async function main(): Promise<void> {
  const dir = stageDir();
  const wasThere = existsSync(dir);
  await stopStage();
  await removeHome(localHome());
  console.log(
    wasThere
      ? `The local stage is ended, and ${dir} removed. What was built stays in the cache for the next npm start.`
      : "There was no local stage. Start one: npm start",
  );
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
