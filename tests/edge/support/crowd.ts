import { poll } from "@bluegreen/release";
import type { Edge } from "../../../local/edge/edge";
import { User } from "./user";

/** What a crowd has seen. */
export interface Seen {
  requests: number;
  failures: string[];
}

/** Users who ask without a pause, over connections that they keep. */
export interface Crowd {
  /**
   * Resolves once every user has had answers of this color alone for a while: with the time of the last one's
   * first, in milliseconds since 1970.
   */
  untilAll(color: string): Promise<number>;
  stop(): Promise<Seen>;
}

const people = 8;

/** How many answers in a row count as all of them. */
const inARow = 100;

export function startCrowd(edge: Edge, host: string, path: string): Crowd {
  const seen: Seen = { requests: 0, failures: [] };
  let stopped = false;
  const users = Array.from({ length: people }, () => ({
    user: new User(edge, host),
    color: "",
    since: 0,
    row: 0,
  }));
  const asking = users.map(async (person) => {
    while (!stopped) {
      seen.requests += 1;
      try {
        const { status, color = "none" } = await person.user.ask(path);
        if (status !== 200) seen.failures.push(`HTTP ${status}`);
        if (color !== person.color) Object.assign(person, { color, since: Date.now(), row: 0 });
        person.row += 1;
      } catch (error) {
        seen.failures.push(String(error));
      }
    }
    person.user.close();
  });
  return {
    untilAll: async (color) => {
      await poll(
        () =>
          Promise.resolve(
            users.every((person) => person.color === color && person.row >= inARow) ? true : undefined,
          ),
        { timeoutMs: 600_000, intervalMs: 5 },
      );
      return Math.max(...users.map(({ since }) => since));
    },
    stop: async () => {
      stopped = true;
      await Promise.all(asking);
      return seen;
    },
  };
}
