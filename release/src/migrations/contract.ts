import { inOthers, type InCluster } from "../clusters/together.js";
import { readVersionsEverywhere, staying, type Templates } from "./versions.js";
import { findLiveUrl, readAppUsers, readSchemaUrls, type DatabaseRef } from "../databases/colorDatabases.js";
import { ifMade } from "../postgres/reachable.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { DeadlineError, poll } from "../util/poll.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Step } from "../util/step.js";
import { readAppSessions, contractObstacles, type ContractFacts } from "./contractGate.js";
import { reading } from "../postgres/appDatabase.js";
import type { Migration } from "./files.js";
import { readPlan, refusalsIn } from "./plan.js";
import { runInUpdate } from "./runner.js";
import { lastSwitch } from "./switches.js";

export type ContractInputs = InCluster &
  DatabaseRef & {
    templates: Templates;
    /** Relative to the program's folder. */
    folder: string;
    /** All migrations up to the newest contract migration that is wanted. */
    migrations: Migration[];
    /** Hours since the last switch. */
    afterHours: number;
    /** How long pods that this update ends, and their sessions, may take to be gone. */
    goneWithinSeconds: number;
  };

export type ContractOutputs = { applied: string[] };

/**
 * Contract migrations: they take away what only older versions use, so they come last in an update
 * and long after the switch. What keeps them waiting already fails the preview.
 */
export const contract: Step<ContractInputs, ContractOutputs> = {
  async check(inputs, _last, say) {
    try {
      const cluster = connect(inputs);
      const url = await findLiveUrl(cluster, inputs);
      if (url === undefined) return [];
      const facts = await ifMade(() => readContractFacts(cluster, url, inputs), say);
      if (facts === undefined || facts.wanted.length === 0) return [];
      // What is missing is applied by the same update.
      const reasons = lastingObstacles({ ...facts, missing: [] }, inputs.templates);
      return reasons.length === 0
        ? []
        : [{ property: "contractMigration", reason: refuse(facts, reasons).message }];
    } catch (error) {
      return [{ property: "contractMigration", reason: messageOf(error) }];
    }
  },

  isNeeded(last, inputs) {
    const known = new Set(last.migrations.map(({ id }) => id));
    return Promise.resolve(inputs.migrations.some(({ id }) => !known.has(id)));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const urls = await readSchemaUrls(cluster, inputs);
      const facts = await readContractFacts(cluster, urls.live, inputs);
      if (facts.wanted.length === 0) return { applied: [] };
      await noObstacles(cluster, urls.live, inputs, facts);
      const run = {
        folder: inputs.folder,
        migrations: inputs.migrations,
        contractUpTo: inputs.migrations.at(-1)?.id,
      };
      const { applied } = await runInUpdate(urls.live, run, say);
      // The one that changes are replicated to goes last: it must have a column as long as values for it
      // arrive.
      if (urls.idle !== undefined) await runInUpdate(urls.idle, run, say);
      return { applied };
    });
  },
};

/** Pods that this update retires or replaces go away by themselves, and their sessions with them. */
function lastingObstacles(facts: ContractFacts, templates: Templates): string[] {
  return contractObstacles({ ...facts, sessions: [], versions: staying(facts.versions, templates) });
}

/** Waits for what goes away by itself. @throws UserError for what does not */
async function noObstacles(
  cluster: Cluster,
  url: string,
  inputs: ContractInputs,
  first: ContractFacts,
): Promise<void> {
  let facts = first;
  let reasons = lastingObstacles(facts, inputs.templates);
  if (reasons.length > 0) throw refuse(facts, reasons);
  try {
    await poll(
      async () => {
        facts = await readContractFacts(cluster, url, inputs);
        reasons = contractObstacles(facts);
        return reasons.length === 0 ? true : undefined;
      },
      { timeoutMs: inputs.goneWithinSeconds * 1000, intervalMs: 1000 },
    );
  } catch (error) {
    throw error instanceof DeadlineError ? refuse(facts, reasons) : error;
  }
}

/** Reads all that decides about the contract migrations among `inputs.migrations`. Touches nothing. */
export async function readContractFacts(
  cluster: Cluster,
  url: string,
  inputs: Pick<ContractInputs, keyof DatabaseRef | keyof InCluster | "migrations" | "afterHours">,
): Promise<ContractFacts> {
  const { migrations, activeColor, afterHours, app } = inputs;
  const [live, elsewhere, versions, users] = await Promise.all([
    readLiveColor(cluster, app),
    inOthers(inputs, async (other, { name }) => ({ name, live: await readLiveColor(other, app) })),
    readVersionsEverywhere(cluster, inputs),
    readAppUsers(cluster, inputs),
  ]);
  return reading(url, async (db) => {
    const plan = await readPlan(db, migrations);
    const [refusal] = refusalsIn(plan);
    if (refusal !== undefined) throw refusal;
    const open = plan.filter(({ state }) => state !== "applied");
    return {
      wanted: open.filter(({ phase }) => phase === "contract"),
      missing: open.filter(({ phase }) => phase !== "contract"),
      activeColor,
      live,
      elsewhere,
      versions,
      lastSwitch: await lastSwitch(db),
      afterHours,
      sessions: await readAppSessions(db, users),
    };
  });
}

function refuse({ wanted }: ContractFacts, reasons: string[]): UserError {
  return new UserError({
    code: "BG-CONTRACT-REFUSED",
    what: `Contract ${wanted.length === 1 ? "migration" : "migrations"} ${wanted.map(({ id, name }) => `${id}_${name}`).join(", ")} ${wanted.length === 1 ? "was" : "were"} refused`,
    rule: reasons.join("\n        "),
    next: "wait, or do as said above; until then: pulumi config rm contractMigration && pulumi up",
  });
}
