import { randomBytes } from "node:crypto";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresAccount } from "../../local/services/postgres";
import { run } from "../../local/system/run";
import { query } from "../../local/testing/database";

/** A tablespace on a disk of its own that a few megabytes fill. */
export interface SmallDisk {
  /** Name of the tablespace. */
  tablespace: string;
  /** Removes the file that takes most of the space. */
  free(): Promise<void>;
  /** After all that used the tablespace is gone. */
  remove(): Promise<void>;
}

const totalMiB = 64;
const leftMiB = 6;

/** Mounts one, in memory. Takes root. @param adminUrl of the server that gets the tablespace */
export async function makeSmallDisk(adminUrl: string): Promise<SmallDisk> {
  const dir = await mkdtemp(join(tmpdir(), "bg-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", `size=${totalMiB}m`, "tmpfs", dir]);
  const unmount = async () => {
    // Lazily: a server that failed may still have a file open, and the mount must not outlive the test.
    await run("umount", ["--lazy", dir]);
    await rm(dir, { recursive: true });
  };
  const tablespace = `small_${randomBytes(4).toString("hex")}`;
  const ballast = join(dir, "ballast");
  try {
    const { uid, gid } = await postgresAccount();
    const location = await mkdtemp(join(dir, "space-"));
    await chmod(dir, 0o755);
    await chown(location, uid, gid);
    await writeFile(ballast, Buffer.alloc((totalMiB - leftMiB) * 2 ** 20));
    await query(adminUrl, `CREATE TABLESPACE ${tablespace} LOCATION '${location}'`);
  } catch (error) {
    await unmount();
    throw error;
  }
  return {
    tablespace,
    free: () => rm(ballast),
    remove: async () => {
      try {
        await query(adminUrl, `DROP TABLESPACE ${tablespace}`);
      } finally {
        await unmount();
      }
    },
  };
}
