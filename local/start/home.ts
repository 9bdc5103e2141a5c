import { createHash, createHmac, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryDir, stageDir, stageId } from "../paths";

/** Where a stack of `npm start` is kept. */
export interface StackHome {
  stack: string;
  /** Folder of its state and of the passphrase of its secrets. */
  folder: string;
}

/** The stack of the local stage. It goes with the stage: both are in one folder. */
export function localHome(): StackHome {
  // The stack file is in the repository: a second stage must not take over the first one's.
  const stack = process.env["BLUEGREEN_STAGE_DIR"] === undefined ? "local" : `local-${stageId()}`;
  return { stack, folder: join(stageDir(), "pulumi") };
}

/** The stack in a namespace of somebody's cluster. It outlives the local stage. */
export function foreignHome(context: string, namespace: string): StackHome {
  const id = createHash("sha256")
    .update(JSON.stringify([context, namespace]))
    .digest("hex")
    .slice(0, 8);
  const stack = `context-${id}`;
  return { stack, folder: join(`${stageDir()}-contexts`, stack) };
}

export function stackFile({ stack }: StackHome): string {
  return join(repositoryDir, `Pulumi.${stack}.yaml`);
}

/** What a shell has to export for the engine to find the stack. */
export function stackEnvironment({ stack, folder }: StackHome): Record<string, string> {
  return {
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(folder),
    PULUMI_STACK: stack,
  };
}

/** Makes the folder and the passphrase when there are none yet. */
export async function prepareHome(home: StackHome): Promise<void> {
  await mkdir(home.folder, { recursive: true, mode: 0o700 });
  if (existsSync(passphraseFile(home.folder))) return;
  // Of a stage that is gone: its secrets cannot be read by a new passphrase.
  await rm(stackFile(home), { force: true });
  await writeFile(passphraseFile(home.folder), randomBytes(24).toString("base64url"), {
    mode: 0o600,
    flag: "wx",
  });
}

/** A made-up API key that stays the same from run to run, so that a run changes nothing by it. */
export async function madeUpApiKey({ folder }: StackHome): Promise<string> {
  const passphrase = await readFile(passphraseFile(folder), "utf8");
  return `local-${createHmac("sha256", passphrase).update("openaiApiKey").digest("hex").slice(0, 32)}`;
}

/** Forgets the stack. Only for one whose resources are gone. */
export async function removeHome(home: StackHome): Promise<void> {
  await rm(stackFile(home), { force: true });
  await rm(home.folder, { recursive: true, force: true });
}

function passphraseFile(folder: string): string {
  return join(folder, "passphrase");
}
