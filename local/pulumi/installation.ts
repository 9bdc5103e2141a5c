/** Which Pulumi everything here runs on: the one on PATH, or one that is built from Go modules once. */
import { accessSync, constants } from "node:fs";
import { mkdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { UserError } from "@bluegreen/release/util/userError";
import { cacheDir } from "../paths";
import { buildPulumi } from "../programs/programs";
import { CommandError, run } from "../system/run";
import type { Task } from "../tasks";

/** npm's launcher of the official command line, and the version that it downloads. */
const launcher = "pulumi@3.265.0";

const variable = "BLUEGREEN_PULUMI";

/** Laid out as an official installation is in ~/.pulumi: the programs in bin/, providers in plugins/. */
function builtHome(): string {
  return join(cacheDir(), "pulumi");
}

/** The first `pulumi` on PATH. */
function findPulumi(): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "pulumi"))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** For whoever shows the steps of a start. */
export const pulumiTask: Task = { title: "Pulumi", run: installPulumi };

/**
 * Puts a Pulumi on this process's PATH, unless there is one.
 * @param progress gets a line for each step of a build
 * @throws UserError when none can be had
 */
export async function installPulumi(progress: (text: string) => void): Promise<void> {
  const wanted = process.env[variable];
  if (wanted === "npm") await installLauncher(progress);
  else if (wanted !== undefined && wanted !== "")
    throw new UserError({
      code: "BG-VARIABLE-INVALID",
      what: `${variable}=${wanted} was refused`,
      rule: "npm is the one value that it has",
      next: `unset ${variable}`,
    });
  else if (findPulumi() === undefined || findPulumi() === join(builtHome(), "bin", "pulumi"))
    await installBuilt(progress);
}

async function installBuilt(progress: (text: string) => void): Promise<void> {
  const built = await buildPulumi(progress);
  const home = builtHome();
  await mkdir(home, { recursive: true });
  await Promise.all(["bin", "plugins"].map((folder) => pointTo(join(home, folder), join(built, folder))));
  useBuilt();
}

/** What Pulumi writes by itself stays in the same home when the programs are rebuilt. */
async function pointTo(link: string, target: string): Promise<void> {
  if ((await readlink(link).catch(() => undefined)) === target) return;
  const next = `${link}.${process.pid}`;
  await rm(next, { force: true });
  await symlink(target, next);
  await rename(next, link);
}

function useBuilt(): void {
  usePath(join(builtHome(), "bin"));
  // Its plugins are those that were built with it, and it is as old as its entry in go.mod says.
  Object.assign(process.env, { PULUMI_HOME: builtHome(), PULUMI_SKIP_UPDATE_CHECK: "true" });
}

async function installLauncher(progress: (text: string) => void): Promise<void> {
  const folder = join(cacheDir(), "pulumi-npm");
  try {
    progress(`fetching ${launcher} with npm`);
    await run("npm", [
      "install",
      "--prefix",
      folder,
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      launcher,
    ]);
    usePath(join(folder, "node_modules", ".bin"));
    progress("fetching Pulumi's own command line");
    await run("pulumi", ["version"]);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      {
        code: "BG-PULUMI-INSTALL-FAILED",
        what: `npm's package ${launcher} could not bring Pulumi`,
        rule: error.message,
        next: `check the network, or unset ${variable}: Pulumi is built from Go modules then`,
      },
      { cause: error },
    );
  }
}

function usePath(folder: string): void {
  const path = (process.env["PATH"] ?? "").split(delimiter);
  if (path[0] !== folder)
    process.env["PATH"] = [folder, ...path.filter((each) => each !== folder)].join(delimiter);
}
