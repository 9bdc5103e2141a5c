import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import {
  postgresFolders,
  postgresPort,
  startPostgres,
  type PostgresServer,
} from "../../local/services/postgres";
import { insideNetwork } from "../../local/stage";
import { CommandError, run } from "../../local/system/run";

/** A PostgreSQL server of its own that the pods of the stage reach: one for each color. */
export interface StageServer {
  dir: string;
  adminUrl: string;
  /** What the Secret of a color holds. */
  secret: Record<"url" | "direct-url" | "admin-url" | "peer-url", string>;
  stop(): Promise<void>;
}

export interface StageServers {
  /** Where a server has, or will have, its folder. */
  folder(name: string): string;
  /** Starts a server, also again on what it has in its folder. */
  start(name: string): Promise<StageServer>;
  /** Makes the app's role and database. */
  makeDatabase(server: StageServer): Promise<void>;
  remove(): Promise<void>;
}

/** The app's role and database on every server. */
const app = "app";

/** @param settings of every server, for example wal_level */
export async function prepareServers(settings: Record<string, string>): Promise<StageServers> {
  const root = await mkdtemp(join(tmpdir(), "bg-two-"));
  await chmod(root, 0o755);
  const password = randomBytes(12).toString("hex");
  const running = new Map<string, PostgresServer>();
  const addresses = new Map<string, string>();
  const within = await insideNetwork([]);
  const [command = "", ...args] = within;
  const folder = (name: string) => join(root, name);
  const addAddress = async (): Promise<string> => {
    const address = `10.89.200.${1 + (randomBytes(1).readUInt8() % 250)}`;
    try {
      await run(command, [...args, "ip", "address", "add", `${address}/32`, "dev", "lo"]);
      return address;
    } catch (error) {
      // Another run's.
      if (error instanceof CommandError && error.message.includes("already assigned")) return addAddress();
      throw error;
    }
  };
  return {
    folder,
    start: async (name) => {
      const dir = folder(name);
      const address = addresses.get(name) ?? (await addAddress());
      addresses.set(name, address);
      const server = await startPostgres({ dir, settings, listen: { address, within } });
      running.set(name, server);
      const adminUrl = server.adminUrl.replace(/postgres$/, app);
      const url = `postgres://${app}:${password}@${address}:${postgresPort}/${app}`;
      const direct = `postgres://${app}@${encodeURIComponent(postgresFolders(dir).socket)}/${app}`;
      return {
        dir,
        adminUrl,
        secret: { url, "direct-url": direct, "admin-url": adminUrl, "peer-url": adminUrl },
        stop: () => server.stop(),
      };
    },
    makeDatabase: async ({ adminUrl }) => {
      const client = new Client({ connectionString: adminUrl.replace(/[^/]+$/, "postgres") });
      await client.connect();
      await client.query(`CREATE ROLE ${escapeIdentifier(app)} LOGIN PASSWORD ${escapeLiteral(password)}`);
      await client.query(`CREATE DATABASE ${escapeIdentifier(app)} OWNER ${escapeIdentifier(app)}`);
      await client.end();
    },
    remove: async () => {
      for (const server of running.values()) await server.stop();
      for (const address of addresses.values())
        await run(command, [...args, "ip", "address", "del", `${address}/32`, "dev", "lo"]);
      await rm(root, { recursive: true, force: true });
    },
  };
}
