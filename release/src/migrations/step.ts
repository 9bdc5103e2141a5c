import { untilInterrupted } from "../interrupt.js";
import { connect } from "../kubernetes/cluster.js";
import { readSecretValue } from "../kubernetes/secretValue.js";
import { sayingWhatIsLive } from "../live.js";
import { names } from "../names.js";
import type { Step } from "../step.js";
import type { Migration } from "./files.js";
import { formatApplied, formatProgress, worthSaying } from "./progress.js";
import { runMigrations } from "./runner.js";

export type MigrationsInputs = {
  context: string;
  namespace: string;
  app: string;
  /** Relative to the program's folder, so that it is the same on every machine. */
  folder: string;
  /** What the schema has to have, in order. A reviewer sees a new release's additions here. */
  migrations: Migration[];
};

/** `waiting`: contract migrations, whose time comes after the release. */
export type MigrationsOutputs = { schemaVersion: string; applied: string[]; waiting: string[] };

/** Keys of the database Secret, in the order they are tried: a direct URL beside a pooled one, because a pooler breaks session locks. */
const urlKeys = ["direct-url", "url"] as const;

/** Expand migrations and backfills: before any pod of the new version starts. Going back to an older list never undoes anything. */
export const migrations: Step<MigrationsInputs, MigrationsOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded(last, inputs) {
    // By checksum, too: a file that changed has to be refused.
    const known = new Set(last.migrations.map(({ id, checksum }) => `${id} ${checksum}`));
    return Promise.resolve(inputs.migrations.some(({ id, checksum }) => !known.has(`${id} ${checksum}`)));
  },

  async run({ context, namespace, app, folder, migrations }, say) {
    const cluster = connect({ context, namespace });
    return sayingWhatIsLive(cluster, app, async () => {
      const url = await readSecretValue(cluster, names.databaseSecret, ...urlKeys);
      const isWorthSaying = worthSaying();
      // Where no signal gets through, kill -9, PostgreSQL itself ends the statement: see Session.reset.
      return untilInterrupted((signal) =>
        runMigrations(url, {
          folder,
          migrations,
          signal,
          onNotice: say,
          onApplied: (applied) => {
            say(formatApplied(applied));
          },
          onProgress: (progress) => {
            if (isWorthSaying(progress)) say(formatProgress(progress));
          },
        }),
      );
    });
  },
};
