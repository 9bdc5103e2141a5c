/** `npm run status`: what of the local stage runs, and what users get. Changes nothing. */
import { Command } from "commander";
import { connect, messageOf, readLiveColor, type Cluster } from "@bluegreen/release";
import { readColors, type ColorStatus } from "@bluegreen/release/releases/colorStatus";
import { Stack } from "../cli/pulumi/stack";
import { layout } from "./cluster/layout";
import { componentStatuses } from "./cluster/supervisor";
import { repositoryDir, stageDir } from "./paths";
import { readStage, type Stage } from "./stage";
import { localHome, stackEnvironment } from "./start/home";
import { readLinks, type Links } from "./start/links";
import { app, localNamespace } from "./start/target";

interface Status {
  folder: string;
  /** Restarts since the stage was started. */
  components: { name: string; state: string; restarts: number }[];
  links: Links;
  release:
    | undefined
    | {
        namespace: string;
        colors: ColorStatus[];
        schemaVersion: string;
        urls: string[];
      };
}

async function main(): Promise<number> {
  const { json } = new Command("npm run status --")
    .description("Shows what of the local stage runs, and what clients get.")
    .option("--json", "as JSON", false)
    .parse()
    .opts<{ json: boolean }>();
  const stage = await readStage();
  const status = stage === undefined ? undefined : await readStatus(stage);
  if (json) console.log(JSON.stringify(status ?? null, undefined, 2));
  else
    console.log(status === undefined ? "The local stage does not run. Start it: npm start" : textOf(status));
  return status === undefined ? 1 : 0;
}

async function readStatus(stage: Stage): Promise<Status> {
  process.env["KUBECONFIG"] = stage.kubeconfig;
  const components = [...(await componentStatuses(layout()))].map(([name, { pid, starts }]) => ({
    name,
    state: pid === 0 ? "down" : "running",
    restarts: Math.max(0, starts - 1),
  }));
  return {
    folder: stageDir(),
    components,
    links: await readLinks(),
    release: await readRelease(
      stage,
      connect({ context: stage.context, namespace: localNamespace, namespacePerColor: false }),
    ),
  };
}

async function readRelease(stage: Stage, cluster: Cluster): Promise<Status["release"]> {
  const live = await readLiveColor(cluster, app);
  if (live === undefined) return undefined;
  const home = localHome();
  // One in the environment is another stack's, and would win over the file.
  delete process.env["PULUMI_CONFIG_PASSPHRASE"];
  const stack = await Stack.open({
    name: home.stack,
    workDir: repositoryDir,
    env: { ...stackEnvironment(home), KUBECONFIG: stage.kubeconfig },
  });
  const outputs = await stack.outputs();
  const output = (name: string): string => {
    const value = outputs[name]?.value;
    return typeof value === "string" ? value : "unknown";
  };
  return {
    namespace: cluster.namespace,
    colors: await readColors(cluster, app, live, 0),
    schemaVersion: output("schemaVersion"),
    urls: ["url", "blueUrl", "greenUrl"].map(output),
  };
}

function textOf({ folder, components, links, release }: Status): string {
  const stage = [
    `Stage in ${folder}`,
    ...aligned(
      components.map(({ name, state, restarts }) => [
        name,
        state,
        restarts === 0 ? "" : `restarted ${String(restarts)} times`,
      ]),
    ),
  ];
  if (release === undefined) return [...stage, "", "No release yet: npm start"].join("\n");
  return [
    ...stage,
    "",
    `Release in namespace ${release.namespace}, schema ${release.schemaVersion}`,
    ...aligned(
      release.colors.map(({ color, role, image, ready, wanted }) => [
        color,
        role,
        image?.split(":").at(-1) ?? "none",
        `${String(ready)} of ${String(wanted)} ready`,
      ]),
    ),
    "",
    "URLs by the Ingress (the local stage has no ingress controller):",
    ...release.urls.map((url) => `  ${url}`),
    "",
    "Open in a browser:",
    `  the app        ${links.app ?? "no link: npm start opens it"}`,
    `  the dashboard  ${links.dashboard ?? "does not run: npm start starts it"}`,
  ].join("\n");
}

function aligned(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  },
);
