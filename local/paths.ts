import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Root of the repository. */
export const repositoryDir = resolve(__dirname, "..");

/** Preloaded by a process that runs TypeScript of this repository. */
export const typescript = join(repositoryDir, "local", "typescript.cjs");

/** What is built or downloaded once and shared by every stage and test run. */
export function cacheDir(): string {
  return visible(
    join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "bluegreen"),
    "XDG_CACHE_HOME",
  );
}

/** Everything of the running stage: data, sockets, logs. Gone after `npm run stop`. */
export function stageDir(): string {
  const chosen = process.env["BLUEGREEN_STAGE_DIR"];
  const dir = resolve(
    chosen ?? join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "bluegreen"),
  );
  // The longest path below it is a socket's, and the kernel takes 107 bytes for one.
  const longest = 80;
  if (Buffer.byteLength(dir) > longest) {
    throw new Error(
      `The stage folder ${dir} is ${String(Buffer.byteLength(dir))} bytes long, and at most ${String(longest)} leave room for the paths of Unix sockets in it. Set BLUEGREEN_STAGE_DIR to a shorter path.`,
    );
  }
  return visible(dir, "BLUEGREEN_STAGE_DIR");
}

/**
 * Folders that the stage replaces by its own inside its namespaces, because programs write there under fixed
 * names.
 */
const hiddenFolders = ["/run", "/var/run", "/var/lib", "/var/log", "/dev/shm"];

function visible(dir: string, variable: string): string {
  const hidden = hiddenFolders.find((parent) => dir === parent || dir.startsWith(`${parent}/`));
  if (hidden !== undefined) {
    throw new Error(
      `${dir} is below ${hidden}, which the stage replaces by a folder of its own inside its namespaces. Set ${variable} to a path elsewhere.`,
    );
  }
  return dir;
}

/** Short name that two stages on one machine never share. */
export function stageId(): string {
  return createHash("sha256").update(stageDir()).digest("hex").slice(0, 8);
}
