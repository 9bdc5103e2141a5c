import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";

/**
 * Times in milliseconds, from the moment a query was due: one that had to wait for its turn counts from then.
 */
export interface Latencies {
  p50: number;
  p99: number;
  max: number;
}

/** What the users of both versions had of it. */
export interface AppFigures {
  queries: number;
  reads: Latencies;
  writes: Latencies;
  /** The slowest single statement, in milliseconds: nobody was blocked for longer. */
  slowestMs: number;
}

type Statement = (id: number) => [sql: string, values: unknown[]];

/** Two versions of the app at once: the old one knows only the old column, the new one both. */
const versions: Record<"reads" | "writes", Statement>[] = [
  {
    reads: (id) => ["SELECT id, email, name FROM users WHERE id = $1", [id]],
    writes: (id) =>
      id % 5 === 0
        ? [
            "INSERT INTO users (email, name, about) VALUES ($1, $2, $3)",
            [`v1-${id}@example.com`, "v1", "new"],
          ]
        : ["UPDATE users SET email = $2 WHERE id = $1", [id, `v1-${id}@example.com`]],
  },
  {
    reads: (id) => [
      "SELECT id, coalesce(email_address, email) AS email, name FROM users WHERE id = $1",
      [id],
    ],
    writes: (id) =>
      id % 5 === 0
        ? [
            "INSERT INTO users (email, email_address, name, about) VALUES ($1, $1, $2, $3)",
            [`v2-${id}@example.com`, "v2", "new"],
          ]
        : ["UPDATE users SET email = $2, email_address = $2 WHERE id = $1", [id, `v2-${id}@example.com`]],
  },
];

const clientsEach = 3;
/** Pause between two queries of a client, in milliseconds; a twelve-client app makes 240 queries a second. */
const everyMs = 50;

/**
 * Starts both versions of the app, each with readers and writers of its own.
 * @param rows ids 1 … rows are read and written, at random
 * @returns ends them, and says how they fared. @throws whatever a query failed with
 */
export function startApp(url: string, rows: number): () => Promise<AppFigures> {
  const ending = new AbortController();
  const figures: Record<"reads" | "writes", number[]> = { reads: [], writes: [] };
  let slowestMs = 0;

  const client = async (kind: "reads" | "writes", statement: Statement, offsetMs: number) => {
    const connection = new Client({ connectionString: url, application_name: "the app" });
    connection.on("error", () => undefined);
    await connection.connect();
    try {
      for (let due = performance.now() + offsetMs; !ending.signal.aborted; due += everyMs) {
        await delay(Math.max(due - performance.now(), 0));
        const startedAt = performance.now();
        await connection.query(...statement(1 + Math.floor(Math.random() * rows)));
        // A timer may fire a little early.
        figures[kind].push(performance.now() - Math.min(due, startedAt));
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      }
    } finally {
      await connection.end();
    }
  };

  const clients = versions.flatMap((version) =>
    (["reads", "writes"] as const).flatMap((kind) =>
      Array.from({ length: clientsEach }, (_each, index) =>
        client(kind, version[kind], (index * everyMs) / clientsEach),
      ),
    ),
  );
  const ended = Promise.all(clients);
  // Thrown by whoever ends the app: until then, it is nobody's rejection.
  ended.catch(() => undefined);
  return async () => {
    ending.abort();
    await ended;
    return {
      queries: figures.reads.length + figures.writes.length,
      reads: latencies(figures.reads),
      writes: latencies(figures.writes),
      slowestMs,
    };
  };
}

function latencies(all: number[]): Latencies {
  const sorted = all.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
