import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { otherColor, type Color } from "@bluegreen/release";
import type { ColorDatabase, DatabasePair } from "@bluegreen/release/databases/colorDatabases";
import { postgresAdminUrl, startPostgres, type PostgresServer } from "../../local/services/postgres";
import { makeStandby, rewindSettings } from "../../local/services/standby";
import { ownRebuild, type Rebuild } from "../support/rebuildOwner";

/** Two real servers: blue's begins as the primary, green's as its standby. */
export interface ReplicaPair {
  /** With data/ and what else a server has. */
  folder(color: Color): string;
  /** Of the superuser. */
  url(color: Color): string;
  /** The pair as a release sees it while a color is live. */
  live(color: Color): DatabasePair;
  /** Asks this process, which owns the servers, to make one of them a standby of the other; prints how. */
  rebuildCommand: string[];
  stop(color: Color): Promise<void>;
  remove(): Promise<void>;
}

export async function startReplicaPair(): Promise<ReplicaPair> {
  const dir = await mkdtemp(join(tmpdir(), "bg-rep-"));
  // The servers run under an account of their own, which has to get through.
  await chmod(dir, 0o755);
  const folder = (color: Color) => join(dir, color);
  const running = new Map<Color, PostgresServer>();
  const start = async (color: Color) => {
    running.set(color, await startPostgres({ dir: folder(color), settings: rewindSettings }));
  };
  const stop = async (color: Color) => {
    await running.get(color)?.stop();
    running.delete(color);
  };
  const rebuild: Rebuild = async (standby, primary, progress) => {
    await stop(standby);
    await makeStandby({ standby: folder(standby), primary: folder(primary), slot: standby, progress });
    await start(standby);
  };
  const owner = await ownRebuild(join(dir, "rebuild"), rebuild);

  await start("blue");
  await rebuild("green", "blue", () => undefined);
  const database = (color: Color): ColorDatabase => ({
    color,
    adminUrl: postgresAdminUrl(folder(color)),
    peerUrl: postgresAdminUrl(folder(color)),
  });
  return {
    folder,
    url: (color) => database(color).adminUrl,
    live: (color) => ({ live: database(color), idle: database(otherColor(color)) }),
    rebuildCommand: owner.command,
    stop,
    remove: async () => {
      owner.close();
      await Promise.all([...running.values()].map((server) => server.stop()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}
