import { Client } from "pg";
import { setTimeout as delay } from "node:timers/promises";
import { query } from "../../local/testing/database";

/** Users that write notes, each with a number of its own, to whichever server traffic goes to. */
export class Writers {
  /** Numbers of the notes whose INSERT was acknowledged. */
  readonly acknowledged: number[] = [];
  /** SQLSTATEs of the tries that failed; each was tried again. */
  readonly failures: string[] = [];
  /** The longest that somebody waited for an answer, in milliseconds. */
  longestMs = 0;
  private next = 0;
  private ended = false;
  private readonly loops: Promise<void>[];

  /** @param target the server that traffic goes to now */
  constructor(private readonly target: () => string) {
    this.loops = Array.from({ length: 4 }, () => this.loop());
  }

  /** How many were acknowledged is more than it was. */
  async goOn(): Promise<void> {
    const before = this.acknowledged.length;
    const deadline = Date.now() + 10_000;
    while (this.acknowledged.length < before + 20) {
      if (Date.now() > deadline) throw new Error(`users cannot write: ${this.failures.slice(-3).join(", ")}`);
      await delay(5);
    }
  }

  async end(): Promise<void> {
    this.ended = true;
    await Promise.all(this.loops);
  }

  /** Of what was acknowledged: which notes a server lacks, and which it has twice. */
  async missingAndDoubled(url: string): Promise<{ missing: number[]; doubled: number[] }> {
    const acknowledged = [...this.acknowledged];
    const found = await query(url, "SELECT id, count(*)::int AS times FROM notes GROUP BY id");
    const times = new Map(found.map((row) => [Number(row["id"]), Number(row["times"])]));
    return {
      missing: acknowledged.filter((id) => !times.has(id)),
      doubled: [...times].filter(([, count]) => count > 1).map(([id]) => id),
    };
  }

  private async loop(): Promise<void> {
    let client: Client | undefined;
    let connectedTo = "";
    let id = this.next++;
    let askedAt = performance.now();
    while (!this.ended) {
      try {
        if (client === undefined || connectedTo !== this.target()) {
          await client?.end();
          connectedTo = this.target();
          client = new Client({ connectionString: connectedTo, application_name: "the app" });
          client.on("error", () => undefined);
          await client.connect();
        }
        await client.query("INSERT INTO notes (id) VALUES ($1)", [id]);
        this.acknowledged.push(id);
        this.longestMs = Math.max(this.longestMs, performance.now() - askedAt);
        id = this.next++;
        await delay(2);
        askedAt = performance.now();
      } catch (error) {
        this.failures.push(error instanceof Error && "code" in error ? String(error.code) : String(error));
        await client?.end().catch(() => undefined);
        client = undefined;
        await delay(5);
      }
    }
    await client?.end();
  }
}

/** Reads from one server all the time. */
export class Reader {
  reads = 0;
  readonly failures: string[] = [];
  private ended = false;
  private readonly loop: Promise<void>;

  constructor(url: string) {
    this.loop = this.read(url);
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.loop;
  }

  private async read(url: string): Promise<void> {
    while (!this.ended) {
      try {
        await query(url, "SELECT count(*) FROM notes");
        this.reads++;
      } catch (error) {
        this.failures.push(String(error));
      }
      await delay(2);
    }
  }
}
