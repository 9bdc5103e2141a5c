import { DatabaseError } from "pg";
import type { Redis } from "ioredis";

/** Longer than it takes most switches: earlier would only be refused again. */
export const RETRY_AFTER_SECONDS = 2;

const READ_ONLY_SQL_TRANSACTION = "25006";

class ReadOnlyError extends Error {}

/**
 * Asked before every write, as late as possible: what has passed has to be done within the release's grace
 * period.
 */
export class WriteFreeze {
  /**
   * @param key set by a release for the moment in which it moves traffic; gone by itself. The contract:
   * docs/guides/write-freeze.md
   */
  constructor(
    private readonly redis: Redis,
    private readonly key: string,
  ) {}

  /** @throws ReadOnlyError while a release asks for no writes */
  async pass(): Promise<void> {
    if (await this.#isRaised()) throw new ReadOnlyError("a release moves traffic");
  }

  async #isRaised(): Promise<boolean> {
    try {
      return (await this.redis.exists(this.key)) > 0;
    } catch {
      // A release that cannot raise the freeze does not move traffic. So nothing is to be gained
      // from refusing, and an outage of Redis would become one of all writes.
      return false;
    }
  }
}

/**
 * Whether nothing is wrong with a request but its moment: the freeze is up, or the database takes no writes
 * now.
 */
export function isReadOnly(error: unknown): boolean {
  return (
    error instanceof ReadOnlyError ||
    (error instanceof DatabaseError && error.code === READ_ONLY_SQL_TRANSACTION)
  );
}
