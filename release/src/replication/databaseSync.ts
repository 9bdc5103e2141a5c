import { sameTemplates } from "../migrations/versions.js";
import { connect } from "../kubernetes/cluster.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { connected } from "../postgres/appDatabase.js";
import { readApplied } from "../migrations/records.js";
import { runInUpdate } from "../migrations/runner.js";
import type { Migration } from "../migrations/files.js";
import type { Step } from "../util/step.js";
import { readSchemaUrls } from "../databases/colorDatabases.js";
import { bind, hasBothColors, needsReconcile, separate, type SeparateInputs } from "./separateInputs.js";

export type DatabaseSyncInputs = SeparateInputs & {
  /** Relative to the program's folder. */
  folder: string;
  migrations: Migration[];
};

export type DatabaseSyncOutputs = Record<string, never>;

/** Before any pod starts: the idle color's database has the schema and the rows of the live one. */
export const databaseSync: Step<DatabaseSyncInputs, DatabaseSyncOutputs> = {
  check(inputs, last, say) {
    // So that whoever reviews a release reads it in the preview.
    if (hasBothColors(inputs) && isChanged(last, inputs)) {
      for (const limit of separate[inputs.strategy].cannot)
        say(`database.strategy ${inputs.strategy}: ${limit}`);
    }
    return Promise.resolve([]);
  },

  async isNeeded(last, inputs) {
    if (!hasBothColors(inputs)) return false;
    return isChanged(last, inputs) || needsReconcile(inputs);
  },

  async run(inputs, say) {
    if (!hasBothColors(inputs)) return {};
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const live = (await readLiveColor(cluster, inputs.app)) ?? inputs.activeColor;
      const urls = await readSchemaUrls(cluster, inputs);
      if (urls.idle !== undefined) {
        // A database that is new: what the live one has had, in the order of the ids.
        const applied = new Set((await connected(urls.live, readApplied)).map(({ id }) => id));
        const migrations = inputs.migrations.filter(({ id }) => applied.has(id));
        await runInUpdate(
          urls.idle,
          { folder: inputs.folder, migrations, contractUpTo: migrations.at(-1)?.id },
          say,
        );
      }
      const { databases, pair, options } = await bind(cluster, inputs, live, say);
      // What a killed release has left behind.
      await databases.reconcile(pair, options);
      await databases.sync(pair, options);
      return {};
    });
  },
};

function isChanged(
  last: Partial<DatabaseSyncInputs>,
  { templates, strategy, activeColor, migrations }: DatabaseSyncInputs,
): boolean {
  if (last.templates === undefined || !sameTemplates(last.templates, templates)) return true;
  return (
    last.strategy !== strategy ||
    last.activeColor !== activeColor ||
    last.migrations?.length !== migrations.length
  );
}
