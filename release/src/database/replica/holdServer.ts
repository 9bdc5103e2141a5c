import { holdWriters, type HeldWriters, type HoldOptions } from "../holdWriters.js";
import type { Server } from "./server.js";

/** Makes the writers of every database of a server wait, but for templates: all of them are replicated together. */
export async function holdServer(server: Server, options: HoldOptions): Promise<HeldWriters> {
  const { rows } = await server.query<{ name: string }>("SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate");
  const tries = await Promise.allSettled(rows.map(({ name }) => holdWriters(urlOf(server, name), options)));
  const held = tries.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  const release = async () => {
    await Promise.all(held.map((each) => each.release()));
  };
  const failed = tries.find((attempt) => attempt.status === "rejected");
  if (failed !== undefined) {
    await release();
    throw failed.reason;
  }
  return {
    confirm: async () => {
      await Promise.all(held.map((each) => each.confirm()));
    },
    release,
  };
}

function urlOf(server: Server, name: string): string {
  const url = new URL(server.database.adminUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}
