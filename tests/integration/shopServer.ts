import { Client } from "pg";
import { shop } from "../../local/testing/shop";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";

/** A server whose databases begin as the shop of the linter's examples. */
export interface ShopServer {
  /**
   * Work with a database of its own, and two sessions in it that wait for no lock for long: the migration's
   * and the live version's. More of the live version can be had: they wait as long as it takes.
   */
  inShop<T>(
    work: (migration: Client, live: Client, connect: () => Promise<Client>) => Promise<T>,
  ): Promise<T>;
}

/** Declares the server of a suite. To be called in `describe`. */
export function inShopServer(
  settings: Record<string, string> = {},
  version: "installed" | "newest" = "installed",
): ShopServer {
  let databases: TestDatabases;
  const urlOf = (database: string) => {
    const url = new URL(databases.adminUrl);
    url.pathname = `/${database}`;
    return url.href;
  };
  before(async () => {
    databases = await startDatabases(settings, version);
    await query(databases.adminUrl, "CREATE ROLE shop_app LOGIN");
    await query(databases.adminUrl, "CREATE DATABASE shop_template");
    await query(urlOf("shop_template"), shop);
  });
  after(() => databases.stop());

  return {
    inShop: async (work) => {
      await query(databases.adminUrl, "DROP DATABASE IF EXISTS shop");
      // Roles are the server's: what an example has made of one is undone here.
      await query(
        databases.adminUrl,
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop') THEN ALTER ROLE shop RENAME TO shop_app; END IF; END $$",
      );
      await query(
        databases.adminUrl,
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_guest') THEN CREATE ROLE shop_guest; END IF; END $$",
      );
      await query(databases.adminUrl, "ALTER ROLE shop_app LOGIN");
      await query(databases.adminUrl, "CREATE DATABASE shop TEMPLATE shop_template");
      const clients: Client[] = [];
      const connect = async () => {
        const client = new Client({ connectionString: urlOf("shop") });
        clients.push(client);
        await client.connect();
        return client;
      };
      const impatient = async () => {
        const client = await connect();
        await client.query("SET lock_timeout = '200ms'");
        return client;
      };
      try {
        return await work(await impatient(), await impatient(), connect);
      } finally {
        for (const client of clients) await client.end();
      }
    },
  };
}
