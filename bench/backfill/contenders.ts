import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { listMigrations, runMigrations, type MigrationRun } from "@bluegreen/release";

/** What a contender gets to do its work. */
export interface Contest {
  url: string;
  /** Ends it when its time is up. */
  signal: AbortSignal;
  /** To be called with the rows done so far, as often as is known. */
  done: (rows: number) => void;
}

/** A way to fill the new column of every row. */
export interface Contender {
  name: string;
  run: (contest: Contest) => Promise<void>;
}

const fill = "UPDATE users SET email_address = email WHERE";

/** The runner of this project. */
function ours(name: string, settings: Partial<MigrationRun>): Contender {
  return {
    name,
    run: async ({ url, signal, done }) => {
      const folder = await mkdtemp(join(tmpdir(), "bg-bench-sql-"));
      try {
        await writeFile(
          join(folder, "0001_fill.sql"),
          `-- phase: backfill\n-- batch: users by id\n${fill} id BETWEEN :first AND :last AND email_address IS NULL`,
        );
        const onProgress: MigrationRun["onProgress"] = ({ rowsDone }) => {
          done(rowsDone);
        };
        await runMigrations(url, {
          folder,
          migrations: listMigrations(folder),
          signal,
          onProgress,
          ...settings,
        });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Statements of a plain client, each a transaction. */
function plain(
  name: string,
  work: (execute: (sql: string) => Promise<number>, contest: Contest) => Promise<void>,
): Contender {
  return {
    name,
    run: async (contest) => {
      const client = new Client({ connectionString: contest.url, application_name: "backfill" });
      client.on("error", () => undefined);
      await client.connect();
      const cut = () => {
        void client.end();
      };
      contest.signal.addEventListener("abort", cut);
      try {
        await work(async (sql) => (await client.query(sql)).rowCount ?? 0, contest);
      } finally {
        contest.signal.removeEventListener("abort", cut);
        await client.end();
      }
    },
  };
}

function loop(size: number): Contender {
  return plain(`IS NULL LIMIT ${size.toLocaleString("en-US")} loop`, async (execute, { done }) => {
    for (let rows = 0; ;) {
      const changed = await execute(
        `${fill} id IN (SELECT id FROM users WHERE email_address IS NULL LIMIT ${size})`,
      );
      if (changed === 0) return;
      rows += changed;
      done(rows);
    }
  });
}

export const contenders: Contender[] = [
  ours("this project, default settings", {}),
  ours("this project, unthrottled", { batchTargetMs: Infinity, maxReplicationLagMs: Infinity }),
  plain("one UPDATE", async (execute, { done }) => {
    done(await execute(`${fill} email_address IS NULL`));
  }),
  loop(1000),
  loop(10_000),
];
