/**
 * `npm run bench:lint`: how long the examples of the linter's rules hold their locks while all rows of a
 * table are read or written, the least of some runs, for the figures in release/src/lint/effects.ts. A fresh
 * PostgreSQL, which waits for no disk. `--rows N` (1,000,000), `--runs N` (3), `--newest`, `--json`.
 */
import { program } from "commander";
import { Client } from "pg";
import { effects } from "@bluegreen/release/lint/effects";
import { rules } from "@bluegreen/release/lint/registry";
import { query, startDatabases } from "../local/testing/database";
import { shop } from "../local/testing/shop";
import { wholeNumber } from "./wholeNumber";

async function measure(
  client: Client,
  { example, given, runs }: { example: string; given: string; runs: number },
): Promise<number | undefined> {
  const seconds: number[] = [];
  const isOutside = example.startsWith("-- no-transaction");
  for (let run = 0; run < runs; run++) {
    if (!isOutside) await client.query("BEGIN");
    const isGiven = await client.query(given).then(
      () => true,
      () => false,
    );
    const started = process.hrtime.bigint();
    const isTaken = await client.query(example).then(
      () => true,
      () => false,
    );
    if (isGiven && isTaken) seconds.push(Number(process.hrtime.bigint() - started) / 1e9);
    if (!isOutside) await client.query("ROLLBACK");
  }
  return seconds.length === 0 ? undefined : Math.min(...seconds);
}

/** By rule, in seconds; rules whose example this version of PostgreSQL does not take are missing. */
async function measureAll({ rows, runs, newest }: Omit<Options, "json">): Promise<Record<string, number>> {
  const measured: Record<string, number> = {};
  const databases = await startDatabases({}, newest ? "newest" : "installed");
  try {
    await query(databases.adminUrl, "CREATE ROLE shop_app");
    const client = new Client({ connectionString: await databases.fresh() });
    await client.connect();
    await client.query(shop.replaceAll("generate_series(1, 1000)", `generate_series(1, ${rows})`));
    await client.query("VACUUM ANALYZE");
    for (const { name, example } of rules) {
      const effect = effects[name];
      if (effect?.work === undefined) continue;
      const seconds = await measure(client, { example, given: effect.given ?? "", runs });
      if (seconds !== undefined) measured[name] = Number(seconds.toFixed(2));
    }
    await client.end();
  } finally {
    await databases.stop();
  }
  return measured;
}

interface Options {
  rows: number;
  runs: number;
  newest: boolean;
  json: boolean;
}

async function main({ json, ...options }: Options): Promise<void> {
  const { rows } = options;
  const measured = await measureAll(options);
  if (json) console.log(JSON.stringify({ rows, measured }));
  else for (const [rule, seconds] of Object.entries(measured)) console.log(`${rule}: ${seconds} s`);
}

program
  .option(
    "--rows <number>",
    "rows of each table",
    (text) => wholeNumber("rows", text, 1000, 100_000_000),
    1_000_000,
  )
  .option("--runs <number>", "how often each", (text) => wholeNumber("runs", text, 1, 100), 3)
  .option("--newest", "the newest PostgreSQL, not the installed one", false)
  .option("--json", "print JSON", false)
  .parse();

void main(program.opts<Options>()).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
