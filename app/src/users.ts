import { DatabaseError, type Pool } from "pg";
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { READS_TIER } from "./build";
import { read } from "./read";

export const userId = z
  .string()
  .regex(/^[\w.@:-]{1,128}$/, { error: "must be 1 to 128 letters, digits or one of . _ @ : -" })
  .describe("The id of the user");

export const newUser = z.object({
  id: userId.default(() => randomUUID()),
  email: z.email().max(254),
  name: z.string().trim().min(1).max(200).optional(),
});

/** Release v2 adds `tier`. */
export const user = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string().nullable(),
  ...(READS_TIER ? { tier: z.string().nullable() } : {}),
});

export type NewUser = z.output<typeof newUser>;
export type User = z.output<typeof user>;

// Named columns, never `*`: another release may add or drop columns while this one is running.
const COLUMNS = READS_TIER ? "id, email, name, tier" : "id, email, name";
const UNIQUE_VIOLATION = "23505";

export class Users {
  constructor(private readonly pool: Pool) {}

  async find(id: string): Promise<User | undefined> {
    const [found] = await read<User>(this.pool, `SELECT ${COLUMNS} FROM users WHERE id = $1`, [id]);
    return found;
  }

  /** Undefined when the id, or another unique value, is taken. */
  async create({ id, email, name }: NewUser): Promise<User | undefined> {
    try {
      const { rows } = await this.pool.query<User>(
        `INSERT INTO users (id, email, name) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
        [id, email, name ?? null],
      );
      return rows[0];
    } catch (error) {
      if (error instanceof DatabaseError && error.code === UNIQUE_VIOLATION) return undefined;
      throw error;
    }
  }
}
