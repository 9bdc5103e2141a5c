/** `npm run image -- FILE`: brings an image of one's own into the dev cluster. No registry takes part. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { messageOf, UserError } from "@bluegreen/release/util/userError";
import { loadArchive, readStage } from "./stage";

const help = `
Examples:
  docker save ghcr.io/you/shop:v1.0.0 -o shop.tar && npm run image -- shop.tar
  npm run pulumi -- config set imageRepository ghcr.io/you/shop`;

async function main(): Promise<void> {
  const [file = ""] = new Command("npm run image --")
    .description("Loads the images of an archive into the dev cluster.")
    .argument("<file>", "a tar file, as docker save, podman save and image builders write it")
    .addHelpText("after", help)
    .parse().args;
  const refuse = (rule: string, next: string) =>
    new UserError({ code: "BG-PATH-NOT-FOUND", what: `${JSON.stringify(file)} was not loaded`, rule, next });
  if (!existsSync(file)) throw refuse("there is no such file", "docker save IMAGE -o FILE");
  if ((await readStage()) === undefined) throw refuse("the dev cluster does not run", "npm start");
  const loaded = await loadArchive(resolve(file));
  console.log(loaded.length === 0 ? "It is loaded already." : `Loaded ${loaded.join(", ")}`);
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
