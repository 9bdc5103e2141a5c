import { Client, DatabaseError } from "pg";
import type { effects } from "@bluegreen/release/lint/effects";
import { poll } from "@bluegreen/release/util/poll";

type Lock = NonNullable<(typeof effects)[string]>["lock"];

/** One statement after the other, each in its own transaction, as long as it takes. */
class Worker {
  done = 0;
  private isStopped = false;
  private readonly ended: Promise<void>;

  constructor(
    private readonly client: Client,
    readonly pid: number,
    sql: string,
  ) {
    this.ended = this.run(sql);
  }

  stop(): Promise<void> {
    this.isStopped = true;
    return this.ended;
  }

  private async run(sql: string): Promise<void> {
    while (!this.isStopped) {
      await this.client.query(sql).catch((error: unknown) => {
        // The table may be gone by now.
        if (!(error instanceof DatabaseError)) throw error;
      });
      this.done++;
    }
  }
}

/** A reader and a writer of the live version at work on a table. */
export class LiveLoad {
  private constructor(
    private readonly reader: Worker,
    private readonly writer: Worker,
  ) {}

  static async on(table: string, lock: Lock, connect: () => Promise<Client>): Promise<LiveLoad> {
    const worker = async (sql: string) => {
      const client = await connect();
      return new Worker(client, await pidOf(client), sql);
    };
    const load = new LiveLoad(
      await worker(`SELECT 1 FROM ${table} LIMIT 1`),
      // A lock on rows stops the writers of these.
      await worker(
        lock.startsWith("ROW ")
          ? `UPDATE ${table} SET id = id WHERE id = 1`
          : `DELETE FROM ${table} WHERE false`,
      ),
    );
    await load.seeGoOn();
    return load;
  }

  /** Whom the migration's open transaction stops, and whom it does not. */
  async seeHeldUp(observer: Client, lock: Lock, by: number): Promise<void> {
    await isBlocked(observer, this.writer, by);
    if (lock === "ACCESS EXCLUSIVE") await isBlocked(observer, this.reader, by);
    else await makesProgress(this.reader);
  }

  async seeGoOn(): Promise<void> {
    await makesProgress(this.reader);
    await makesProgress(this.writer);
  }

  async stop(): Promise<void> {
    await Promise.all([this.reader.stop(), this.writer.stop()]);
  }
}

export async function pidOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid ?? 0;
}

const patience = { timeoutMs: 300_000, intervalMs: 10 };

/** More than the statement that it was in the middle of. */
async function makesProgress(worker: Worker): Promise<void> {
  const before = worker.done;
  await poll(() => Promise.resolve(worker.done > before + 2 || undefined), patience);
}

async function isBlocked(observer: Client, { pid }: Worker, by: number): Promise<void> {
  await poll(async () => {
    const { rows } = await observer.query<{ blocked: boolean }>(
      "SELECT $2 = ANY (pg_blocking_pids($1)) AS blocked",
      [pid, by],
    );
    return rows[0]?.blocked === true || undefined;
  }, patience);
}
