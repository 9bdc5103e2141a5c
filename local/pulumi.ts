/**
 * `npm run pulumi -- …`: Pulumi's own command line, with the stack of the dev cluster where no other is
 * named.
 */
import { spawn } from "node:child_process";
import { messageOf } from "@bluegreen/release/util/userError";
import { installPulumi } from "./pulumi/installation";
import "./start/localShell";

async function main(): Promise<void> {
  await installPulumi((text) => {
    console.error(text);
  });
  const pulumi = spawn("pulumi", process.argv.slice(2), { stdio: "inherit" });
  // A terminal's Ctrl-C reaches Pulumi by itself. Twice means to it: at once.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => pulumi.kill("SIGINT"));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    pulumi.once("error", reject);
    pulumi.once("exit", (code) => {
      resolve(code ?? 1);
    });
  });
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
