import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { RbacAuthorizationV1Api } from "@bluegreen/release/kubernetes/client";
import type { ConfigMap } from "@pulumi/pulumi/automation/index.js";
import { expect } from "chai";
import { connect, messageOf, orUndefined, type Cluster } from "@bluegreen/release";
import { hold } from "@bluegreen/release/capacity/scale";
import { Stack } from "../../cli/pulumi/stack";
import { settingsFrom } from "../../cli/stackConfig";
import { imageRepository } from "../../local/images/app";
import { repositoryDir } from "../../local/paths";
import { buildKubectl } from "../../local/programs/programs";
import { loadImages, readStage } from "../../local/stage";
import { query } from "../../local/testing/database";
import { makeCheckout, type Checkout } from "../support/checkout";
import { imageOf, liveColor } from "../support/read";
import { runCommands } from "../support/runJob";
import { smallAndQuick } from "../../local/testing/testStack";
import { asTyped } from "./asTyped";
import { commandBlocks, sentenceCommands, type CommandBlock } from "./commandBlocks";

const namespace = "chatgpt-production";
const account = "bg_docs";

/** Blocks that other tests type, with values of their own, or that take what there is none of here. */
const elsewhere: { page: RegExp; commands: RegExp; by: string }[] = [
  {
    page: /^(?:README|CONTRIBUTING)\.md$/,
    commands: /^npm (?:start|run check|test)\b/,
    by: "tests/start/start.test.ts, and this run of npm test itself",
  },
  { page: /./, commands: /^docker buildx /, by: "nobody: it takes Docker and a registry" },
  { page: /./, commands: /^npm run bench:/, by: "tests/bench/bench.test.ts" },
  {
    page: /^docs\/guides\/dashboard\.md$/,
    commands: /^npm (?:start|run bluegreen -- (?:dashboard|report)) /,
    by: "tests/pages/pages.test.ts, tests/start/start.test.ts",
  },
  {
    page: /^docs\/guides\/traffic-routing\.md$/,
    commands: /^npm run bluegreen -- shift /,
    by: "tests/traffic/shift.test.ts",
  },
  {
    page: /^docs\/guides\/policy-pack\.md$/,
    commands: /^(?:pulumi preview --policy-pack |PULUMI_OPTION_POLICY_PACK=)/,
    by: "tests/pulumi/policy.test.ts",
  },
  {
    page: /^docs\/guides\/databases\.md$/,
    commands: /^pulumi up|&& pulumi up$/,
    by: "tests/databases/logicalReplication.test.ts, tests/databases/replica.test.ts",
  },
  {
    page: /^docs\/getting-started\.md$/,
    commands: /^(?:npm (?:pack|install)|cd \.\.\/shop|npx bluegreen init)\b/,
    by: "tests/unit/init.test.ts; nobody installs packages here, which takes a registry",
  },
  {
    page: /^docs\/reference\/doctor\.md$/,
    commands: /^npx bluegreen init --from /,
    by: "tests/apps/adopted.test.ts, tests/unit/init.test.ts",
  },
  {
    page: /^docs\/guides\/gates\.md$/,
    commands: /^kubectl -n NAMESPACE get configmap /,
    by: "tests/provider/ownGates.test.ts, which reads the same key",
  },
  {
    page: /^docs\/runbooks\/troubleshooting\.md$/,
    commands: /^pulumi up --refresh$/,
    by: "tests/changes/replaced.test.ts",
  },
];

/**
 * Commands in sentences that other tests type, that are this run itself, or that only tell what others do.
 */
const told: { commands: RegExp; by: string }[] = [
  {
    commands: /^pulumi (?:up|preview|destroy(?: --skip-preview)?|cancel.*)$/,
    by: "tests/e2e/release.test.ts, tests/faults/locks.test.ts, tests/support/killUpdate.ts",
  },
  {
    commands: /^(?:npx bluegreen|npm run (?:--silent )?bluegreen(?: --|$))/,
    by: "the tests of each command, for which tests/unit/docs.test.ts looks",
  },
  {
    commands: /^npm (?:start|run stop|run pulumi -- up)/,
    by: "tests/start/start.test.ts, tests/start/refusals.test.ts",
  },
  { commands: /^pulumi up --refresh$/, by: "tests/changes/replaced.test.ts" },
  { commands: /^npm run image -- /, by: "tests/usage/image.test.ts" },
  { commands: /^kubectl (?:edit|delete) ingress shop$/, by: "tests/apps/adopted.test.ts, through the API" },
  { commands: /^kubectl rollout restart$/, by: "tests/unit/drain.test.ts, with the names that are printed" },
  { commands: /^npm run docs(?::api)?$/, by: "tests/unit/reuse.test.ts" },
  { commands: /^npm run bench:/, by: "tests/bench/bench.test.ts" },
  { commands: /^(?:npm (?:test|run (?:test:all|check|fences|screenshots))\b|npx mocha )/, by: "this run" },
  {
    commands:
      /^(?:npm link|pulumi policy publish|pulumi stack (?:import|ls|select NAME)|kubectl (?:config use-context |logs job\/)NAME)$/,
    by: "nobody: it changes the machine, takes an account, or a name of the reader's",
  },
  {
    commands:
      /^(?:pulumi (?:config set|stack select)|npm ci --ignore-scripts|docker buildx imagetools inspect .*)$/,
    by: "nobody: it is named without a value, installs packages, or takes a registry",
  },
  {
    commands:
      /^(?:docker save|pulumi new|kubectl (?:create secret generic|rollout undo|patch|patch service(?: shop .*)?|port-forward|scale|set image|argo rollouts promote))$/,
    by: "nobody: it is what others do",
  },
];

/** Of those in sentences, what a stack and its cluster can be asked without changing where traffic is. */
const inSentences =
  /^(?:pulumi config (?:set|rm) |pulumi stack (?:export|output )|kubectl (?:-n |config get-contexts)|npm run --silent bluegreen -- lint|npm pack )/;

/** The pages of a release, typed block by block into a shell, by somebody who has cloned the project. */
describe("What the documentation says to type, on a real cluster", function () {
  // Each step continues where the one before has ended.
  this.bail(true);
  let checkout: Checkout;
  let cluster: Cluster;
  let env: Record<string, string>;
  let adminUrl: string;
  let directUrl: string;
  let redisUrl: string;
  /** What `init` asks. */
  let initAnswers: string;
  const blocks = commandBlocks();
  const typed = new Set<string>();

  before(async () => {
    const stage = await readStage();
    if (stage === undefined)
      throw new Error("the local stage is not running: npm start, or npm test, which starts it");
    checkout = makeCheckout();
    const editor = join(dirname(checkout.folder), "editor");
    // This machine's way to the server is another one than the pods'.
    directUrl = Object.assign(new URL(stage.postgres.adminUrl), {
      username: account,
      password: "docs",
      pathname: account,
    }).href;
    writeFileSync(
      editor,
      `#!/bin/sh\nfor file; do case $file in openai.env) echo api-key=sk-docs ;; *) printf '%s\\n' 'url=postgres://${account}:docs@${stage.postgres.address}/${account}' 'direct-url=${directUrl}' ;; esac > "$file"; done\n`,
      { mode: 0o755 },
    );
    env = {
      KUBECONFIG: stage.kubeconfig,
      PULUMI_BACKEND_URL: `file://${dirname(checkout.folder)}`,
      PULUMI_CONFIG_PASSPHRASE: "docs",
      EDITOR: editor,
      PATH: [await buildKubectl(() => undefined), process.env["PATH"]].join(delimiter),
    };
    initAnswers = `--yes --image-repository ${imageRepository} --tag v1.0.0 --host app.example.com --namespace ${namespace} --context ${stage.context} --route nginx --ingress-class nginx --cluster-issuer none`;
    adminUrl = stage.postgres.adminUrl;
    redisUrl = stage.redis.url;
    process.env["KUBECONFIG"] = stage.kubeconfig;
    cluster = connect({ context: stage.context, namespace, namespacePerColor: false });
    await dropDatabase();
    await query(adminUrl, `CREATE ROLE ${account} LOGIN PASSWORD 'docs'`);
    await query(adminUrl, `CREATE DATABASE ${account} OWNER ${account}`);
    await loadImages([
      { tag: "v1.0.0", release: "v1", fault: "none" },
      { tag: "v1.1.0", release: "v1", fault: "none" },
      { tag: "v1.3.0", release: "v2", fault: "none" },
      { tag: "v1.4.0", release: "v2", fault: "none" },
    ]);
  });

  after(async () => {
    const rbac = cluster.config.makeApiClient(RbacAuthorizationV1Api);
    await Promise.all([
      orUndefined(cluster.core.deleteNamespace({ name: namespace })),
      orUndefined(rbac.deleteClusterRole({ name: `bluegreen-release-${namespace}` })),
    ]);
    await dropDatabase();
    checkout.remove();
  });

  const dropDatabase = async () => {
    await query(adminUrl, `DROP DATABASE IF EXISTS ${account} WITH (FORCE)`);
    await query(adminUrl, `DROP ROLE IF EXISTS ${account}`);
  };

  const type = async (page: string, fragment: string): Promise<string> => {
    const found = blocks.filter(
      (block) => block.page === page && block.commands.some((command) => command.includes(fragment)),
    );
    expect(
      found.map(({ line }) => line),
      `blocks of ${page} with ${fragment}`,
    ).to.have.length(1);
    const [block] = found as [CommandBlock];
    for (const command of block.commands) typed.add(command);
    const { code, said } = await run(...block.commands);
    expect(code, `${page}:${block.line}\n${said}`).to.equal(0);
    return said;
  };
  const run = (...commands: string[]) =>
    runCommands(commands.map((command) => asTyped(command, initAnswers)).join("\n"), {
      folder: checkout.folder,
      env,
    });
  const set = async (values: Record<string, unknown>) =>
    (await Stack.open({ name: "production", workDir: checkout.folder, env })).setConfig(
      Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }])),
    );

  it("leads to a first release, from nothing", async () => {
    expect(await type("docs/getting-started.md", "init production")).to.contain(
      "Pulumi.production.yaml is written",
    );
    // Pods that this machine has room for, and times that a test has.
    await set({ ...smallAndQuick, env: { ...smallAndQuick.env, REDIS_URL: redisUrl } });
    expect(await type("docs/getting-started.md", "doctor --rbac")).to.contain(
      "role.rbac.authorization.k8s.io",
    );
    await type("docs/getting-started.md", "db.env");
    await type("docs/getting-started.md", "openai.env");
    expect(
      await type("docs/getting-started.md", "npm run bluegreen -- doctor"),
      "nothing is missing",
    ).not.to.match(/^(?:broken|unknown)/m);
    expect(await type("docs/getting-started.md", "-- plan"))
      .to.contain("traffic is on blue")
      .and.match(/^blue +live +v1\.0\.0 +100 % +2 of 2$/m);
  });

  it("releases by config, and the next version by the commands", async () => {
    await type("README.md", "config set greenTag v1.3.0");
    expect([await liveColor(cluster), await imageOf(cluster, "green")]).to.deep.equal([
      "green",
      `${imageRepository}:v1.3.0`,
    ]);
    await type("README.md", "deploy v1.4.0");
    expect([await liveColor(cluster), await imageOf(cluster, "blue")]).to.deep.equal([
      "blue",
      `${imageRepository}:v1.4.0`,
    ]);
  });

  it("rolls back", async () => {
    await type("README.md", "-- rollback");
    expect(await liveColor(cluster)).to.equal("green");
  });

  it("tells the night what to type, with and without anything but kubectl", async () => {
    await type("docs/getting-started.md", "deploy v1.1.0");
    expect(await type("docs/runbooks/on-call.md", "-- rollback --stack")).to.contain("Traffic is on green");
    expect(await type("docs/runbooks/on-call.md", "-- history"), "status and history")
      .to.contain("traffic is on green")
      .and.contain("checkout fails for everybody");
    await type("docs/runbooks/on-call.md", "kubectl -n");
    expect(await liveColor(cluster)).to.equal("blue");
  });

  it("renames a column in two releases", async () => {
    await run("pulumi config set activeColor blue", "npm run bluegreen -- unblock blue");
    await type("docs/guides/rename-a-column.md", "full_name --dry-run");
    await type("docs/guides/rename-a-column.md", "bluegreen -- lint");
    // What the page calls a version that uses the new name.
    const users = join(checkout.folder, "app/src/users.ts");
    writeFileSync(
      users,
      readFileSync(users, "utf8")
        .replaceAll('"id, email, name', '"id, email, full_name AS name')
        .replace("(id, email, name)", "(id, email, full_name)"),
    );
    await loadImages([
      { tag: "v2.0.0", release: "v2", knows: "0005", fault: "none", source: checkout.folder },
    ]);
    await type("docs/guides/rename-a-column.md", "deploy v2.0.0");
    expect([await liveColor(cluster), await imageOf(cluster, "green")]).to.deep.equal([
      "green",
      `${imageRepository}:v2.0.0`,
    ]);
    const early = await run("npm run bluegreen -- scale-down --stack production --yes");
    expect(
      [early.code, early.said.includes("it is what a rollback returns to until")],
      early.said,
    ).to.deep.equal([2, true]);
    // What keeps the rollback possible for a day looks at the database's record.
    await query(directUrl, `UPDATE schema_switches SET switched_at = now() - interval '25 hours'`);
    await type("docs/guides/rename-a-column.md", "scale-down");
    await type("docs/guides/migrations.md", "migrations status");
  });

  it("makes the Secrets of databases", async () => {
    await type("docs/guides/databases.md", "db-credentials-blue");
    await run("$EDITOR db.env");
    await type("docs/guides/migrations.md", "--dry-run=client");
  });

  it("sets what is valid together, page by page", async () => {
    const stackFile = join(checkout.folder, "Pulumi.docs.yaml");
    // The one that comes with the program, before anybody has filled it in.
    const example = readFileSync(join(repositoryDir, "Pulumi.production.yaml"), "utf8");
    const made = await run("pulumi stack init docs");
    expect(made.code, made.said).to.equal(0);
    let page = "";
    for (const block of blocks) {
      const config = block.commands.filter((command) => command.startsWith("pulumi config "));
      if (config.length === 0) continue;
      if (block.page !== page) writeFileSync(stackFile, example);
      page = block.page;
      const { code, said } = await run(
        ...config.map((command) => command.replace(/ && pulumi up$/, "")),
        "pulumi config --json --show-secrets > settings.json",
      );
      expect(code, `${block.page}:${block.line}\n${said}`).to.equal(0);
      try {
        expect(
          settingsFrom(JSON.parse(readFileSync(join(checkout.folder, "settings.json"), "utf8")) as ConfigMap),
        ).to.have.property("colors");
      } catch (error) {
        expect.fail(`${block.page}:${block.line}: ${messageOf(error)}`);
      }
      for (const command of config) typed.add(command);
    }
  });

  it("says in its sentences what can be typed as it stands there", async () => {
    const autoscaler = { name: "chatgpt-app-blue", namespace };
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "chatgpt-app-blue" };
    await cluster.autoscaling.createNamespacedHorizontalPodAutoscaler({
      namespace,
      body: { metadata: autoscaler, spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 4 } },
    });
    await hold(cluster, "chatgpt-app", "blue", 3);
    await run("pulumi stack select production");
    for (const { page, command } of sentenceCommands().filter(({ command }) => inSentences.test(command))) {
      // Whether what is set is valid depends on the rest of config, which a sentence does not tell.
      const { code, said } = await run(command.replace(/ && pulumi up$/, ""));
      expect(code, `${page}: ${command}\n${said}`).to.equal(0);
      typed.add(command);
    }
    const { metadata, spec } = await cluster.autoscaling.readNamespacedHorizontalPodAutoscaler(autoscaler);
    expect([
      metadata?.annotations?.["bluegreen.dev/hold"],
      spec.behavior?.scaleDown?.selectPolicy,
    ]).to.deep.equal([undefined, undefined]);
  });

  it("leaves no command out", () => {
    const inBlocks = blocks
      .flatMap(({ page, line, commands }) => commands.map((command) => ({ page, line, command })))
      .filter(
        ({ page, command }) => !elsewhere.some((each) => each.page.test(page) && each.commands.test(command)),
      );
    const inText = sentenceCommands().filter(
      ({ command }) => !told.some(({ commands }) => commands.test(command)),
    );
    const left = [
      ...inBlocks.map(({ page, line, command }) => ({ page: `${page}:${line}`, command })),
      ...inText,
    ].filter(({ command }) => !typed.has(command));
    expect(left.map(({ page, command }) => `${page} ${command}`)).to.deep.equal([]);
  });
});
