import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { colors, otherColor, poll, type Color } from "@bluegreen/release";
import type { ColorDatabase, DatabasePair } from "@bluegreen/release/databases/colorDatabases";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";

/** The password of the replication, which must not be seen anywhere. */
export const peerPassword = "hunter2/%§";

const dropSubscriptions = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database() LOOP
    EXECUTE 'ALTER SUBSCRIPTION ' || name || ' DISABLE';
    EXECUTE 'ALTER SUBSCRIPTION ' || name || ' SET (slot_name = NONE)';
    EXECUTE 'DROP SUBSCRIPTION ' || name;
  END LOOP; END $$`;

/** Two real servers, one for each color. */
export interface ColorServers {
  blue: TestDatabases;
  green: TestDatabases;
  /**
   * A new database on each, with the same tables. Those before it are dropped: each one's replication takes
   * places that a server has few of.
   */
  fresh(schema: string): Promise<ColorDatabases>;
  stop(): Promise<void>;
}

export interface ColorDatabases {
  pair(live: Color): DatabasePair;
  /** As the app of a color, which is no superuser. */
  appUrl(color: Color): string;
  /** As the superuser, who writes on the idle side, too. */
  on(color: Color, sql: string): Promise<Record<string, unknown>[]>;
  /** Slots of this database on both servers, with whether somebody reads them. */
  slots(): Promise<string[]>;
  /** Waits until the only slot is the one of the live color, and read. */
  onlySlotOf(live: Color): Promise<void>;
}

export async function startColorServers(): Promise<ColorServers> {
  const settings = {
    wal_level: "logical",
    max_wal_senders: "50",
    max_replication_slots: "50",
    max_worker_processes: "50",
    max_logical_replication_workers: "40",
    wal_retrieve_retry_interval: "1s",
  };
  const blue = await startDatabases(settings);
  const green = await startDatabases(settings);
  const servers = { blue, green };
  for (const { adminUrl, dir } of [blue, green]) {
    await query(adminUrl, "CREATE ROLE app LOGIN");
    await query(
      adminUrl,
      `CREATE ROLE peer LOGIN REPLICATION PASSWORD '${peerPassword}' IN ROLE pg_read_all_data`,
    );
    // Everybody else comes through the socket without a password.
    const hba = join(dir, "data/pg_hba.conf");
    await writeFile(hba, `local all peer scram-sha-256\n${await readFile(hba, "utf8")}`);
    await query(adminUrl, "SELECT pg_reload_conf()");
  }
  let drop = () => Promise.resolve();
  return {
    blue,
    green,
    fresh: async (schema) => {
      await drop();
      const urls = { blue: await blue.fresh(), green: await green.fresh() };
      const as = (color: Color, user: string, password = "") => {
        const url = new URL(urls[color]);
        url.username = user;
        url.password = encodeURIComponent(password);
        return url.href;
      };
      const databaseOf = (color: Color): ColorDatabase => ({
        color,
        adminUrl: urls[color],
        peerUrl: as(color, "peer", peerPassword),
      });
      const on = (color: Color, sql: string) =>
        query(`${urls[color]}?options=${encodeURIComponent("-c default_transaction_read_only=off")}`, sql);
      const slots = async () => {
        const found = await Promise.all(
          colors.map((color) =>
            on(
              color,
              `SELECT format('%s to %s, %s', '${color}', split_part(slot_name, '_', 4), CASE WHEN active THEN 'read' ELSE 'not read' END) AS slot FROM pg_replication_slots WHERE database = current_database()`,
            ),
          ),
        );
        return found.flat().map(({ slot }) => String(slot));
      };
      drop = async () => {
        for (const color of colors) await on(color, dropSubscriptions);
        const noSlots = async () => {
          for (const color of colors)
            await on(
              color,
              "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND NOT active",
            );
          return (await slots()).length === 0 ? true : undefined;
        };
        await poll(noSlots, { timeoutMs: 300_000 });
        for (const color of colors)
          await query(
            servers[color].adminUrl,
            `DROP DATABASE ${new URL(urls[color]).pathname.slice(1)} WITH (FORCE)`,
          );
      };
      for (const color of colors) {
        await on(
          color,
          "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO app; ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO app",
        );
        await on(color, schema);
      }
      return {
        pair: (live) => ({ live: databaseOf(live), idle: databaseOf(otherColor(live)) }),
        appUrl: (color) => as(color, "app"),
        on,
        slots,
        onlySlotOf: async (live) => {
          const wanted = `${live} to ${otherColor(live)}, read`;
          let found: string[] = [];
          await poll(async () => ((found = await slots()).join() === wanted ? true : undefined), {
            timeoutMs: 300_000,
          }).catch((error: unknown) => {
            throw new Error(`wanted "${wanted}", and there is "${found.join("; ")}"`, { cause: error });
          });
        },
      };
    },
    stop: async () => {
      await Promise.all([servers.blue.stop(), servers.green.stop()]);
    },
  };
}
