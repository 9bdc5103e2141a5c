import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { repositoryDir } from "../../../local/paths";
import { startPostgres, type PostgresServer } from "../../../local/services/postgres";
import { startRedis, type RedisServer } from "../../../local/services/redis";

const migrations = ["0001_create_users.sql", "0002_add_user_tier.sql"];

/** A real PostgreSQL and a real Redis of their own; every part can be stopped and started again. */
export class Services {
  #databases = 0;

  private constructor(
    private readonly dir: string,
    private postgres: PostgresServer,
    private redis: RedisServer,
  ) {}

  static async start(): Promise<Services> {
    const dir = await mkdtemp(join(tmpdir(), "bg-app-"));
    // The servers run as accounts of their own and have to get to their folders.
    await chmod(dir, 0o711);
    const [postgres, redis] = await Promise.all([
      startPostgres({ dir: join(dir, "pg") }),
      startRedis({ dir: join(dir, "redis") }),
    ]);
    return new Services(dir, postgres, redis);
  }

  get redisUrl(): string {
    return `unix://${this.redis.socket}`;
  }

  get adminUrl(): string {
    return this.postgres.adminUrl;
  }

  /** A new database with the first `applied` migrations, and its URL. */
  async createDatabase(applied: 0 | 1 | 2): Promise<string> {
    this.#databases += 1;
    const name = `app_${this.#databases}`;
    await query(this.adminUrl, `CREATE DATABASE ${name}`);
    const url = this.adminUrl.replace(/\/postgres$/, `/${name}`);
    await query(
      url,
      "CREATE TABLE schema_migrations (id text PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    for (const file of migrations.slice(0, applied)) await migrate(url, file);
    return url;
  }

  async stopPostgres(): Promise<void> {
    await this.postgres.stop();
  }

  async startPostgres(): Promise<void> {
    this.postgres = await startPostgres({ dir: join(this.dir, "pg") });
  }

  async stopRedis(): Promise<void> {
    await this.redis.stop();
  }

  async startRedis(): Promise<void> {
    this.redis = await startRedis({ dir: join(this.dir, "redis") });
  }

  async stop(): Promise<void> {
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
    await rm(this.dir, { recursive: true });
  }
}

/** Runs the SQL of a migration and records it, as the release does. */
export async function migrate(url: string, file: string): Promise<void> {
  await query(url, await readFile(join(repositoryDir, "migrations", file), "utf8"));
  await query(url, "INSERT INTO schema_migrations (id, name) VALUES ($1, $2)", [file.slice(0, 4), file]);
}

export async function query(url: string, sql: string, values?: unknown[]): Promise<unknown[]> {
  return withClient(url, async (client) => (await client.query<Record<string, unknown>>(sql, values)).rows);
}

/** One connection, for tests that hold a transaction open. */
export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
