import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Figures } from "../../local/load/report";
import { repositoryDir } from "../../local/paths";
import { readStage } from "../../local/stage";
import { Children } from "../support/children";
import type { Ended } from "../support/endOf";

/** A whole `npm start`, on a machine that is busy with other tests. */
export const runTimeoutMs = 1_800_000;

/** Requests per second: a fifth of what a user has, whose machine does nothing else meanwhile. */
export const testRate = "20";

/** What runLocal has started. */
export const local = new Children();

/** Runs a command of this folder as a user would, without a terminal. */
export function runLocal(file: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return local.run(
    process.execPath,
    [join(repositoryDir, "local", "bootstrap.mjs"), join("local", file), ...args],
    { cwd: repositoryDir, env: { ...process.env, ...env } },
  );
}

/** Whether nothing listens at the address of a URL any more. */
export async function isRefused(url: string): Promise<boolean> {
  const failure = await fetch(url).then(
    () => undefined,
    (error: unknown) => error,
  );
  return (
    failure instanceof TypeError &&
    failure.cause instanceof Error &&
    "code" in failure.cause &&
    failure.cause.code === "ECONNREFUSED"
  );
}

/** The two links that the last words of npm start show. */
export function linksIn(words: string): { app: string; dashboard: string } {
  const [, app, dashboard] =
    /^Open in a browser:\n {2}the app +(http:\/\/127\.0\.0\.1:\d+\/)\n {2}the dashboard +(http:\/\/127\.0\.0\.1:\d+\/\?token=\S+)$/m.exec(
      words,
    ) ?? [];
  if (app === undefined || dashboard === undefined) throw new Error(`There are no two links in:\n${words}`);
  return { app, dashboard };
}

/** What every run has to show, wherever it went. */
export function expectRelease({ code, output, errors }: Ended): void {
  expect(code, errors).to.equal(0);
  const { failures, failureTexts, requests, total, phases } = JSON.parse(output) as Figures;
  expect(failures, JSON.stringify(failureTexts)).to.equal(0);
  expect(requests).to.be.greaterThan(500);
  for (const { client, answers } of total) {
    expect(answers.blue, `${client} by blue`).to.be.greaterThan(0);
    expect(answers.green, `${client} by green`).to.be.greaterThan(0);
  }
  expect(phases.map(({ title }) => title)).to.deep.equal([
    "v1 alone",
    "v2 on green, not live",
    "switch to green",
    "rollback to blue",
  ]);
  const [, released, switched, rolledBack] = phases;
  // The live color is untouched while the new version comes.
  for (const { answers } of released?.clients ?? []) expect(answers.green).to.equal(0);
  for (const client of [0, 1, 2]) {
    expect(
      switched?.clients[client]?.spans.green?.firstMs,
      "first answer of green after the switch",
    ).to.be.greaterThan(0);
    expect(
      rolledBack?.clients[client]?.spans.blue?.firstMs,
      "first answer of blue after the rollback",
    ).to.be.greaterThan(0);
    // Both colors had all clients in the end.
    expect(switched?.clients[client]?.spans.blue?.lastMs).to.be.lessThan(
      switched?.clients[client]?.spans.green?.lastMs ?? 0,
    );
    expect(rolledBack?.clients[client]?.spans.green?.lastMs).to.be.lessThan(
      rolledBack?.clients[client]?.spans.blue?.lastMs ?? 0,
    );
  }
}

/** `npm start -- --context` with the stage of the tests as the cluster that it has not made. */
export interface ForeignStart {
  context: string;
  namespace: string;
  args: string[];
  env: Record<string, string>;
  remove(): Promise<void>;
}

export async function makeForeignStart(): Promise<ForeignStart> {
  const stage = await readStage();
  if (stage === undefined) throw new Error("the local stage is not running: npm test, which starts it");
  process.env["KUBECONFIG"] = stage.kubeconfig;
  // The command gets a stage folder in which nothing runs: it has to do with what it is given.
  const dir = await mkdtemp(join(tmpdir(), "bg-ctx-"));
  const { context } = stage;
  const namespace = "chatgpt-context-test";
  return {
    context,
    namespace,
    args: [
      "--context",
      context,
      "--namespace",
      namespace,
      "--image-repository",
      stage.imageRepository,
      "--old-tag",
      "v1",
      "--new-tag",
      "v2",
      "--database-address",
      stage.postgres.address,
      "--redis-url",
      stage.redis.url,
    ],
    env: {
      KUBECONFIG: stage.kubeconfig,
      BLUEGREEN_STAGE_DIR: join(dir, "stage"),
      DATABASE_ADMIN_URL: stage.postgres.adminUrl,
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
