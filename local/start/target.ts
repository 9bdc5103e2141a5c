import { names } from "@bluegreen/release/app/names";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { connect, orUndefined, UserError, type Cluster } from "@bluegreen/release";
import { loadImages, startStageTasks, type Stage } from "../stage";
import { pulumiTask } from "../pulumi/installation";
import { runTasks } from "../tasks";
import { databaseVariable, type ForeignOptions } from "./options";
import { foreignHome, localHome, type StackHome } from "./home";
import { openApp } from "./links";

/** The name of the app, in the cluster and of the Pulumi project. */
export const app = "chatgpt-app";

/** A cluster with all that a release needs, and what goes there. */
export interface Target extends Omit<ForeignOptions, "yes"> {
  namespacePerColor: false;
  home: StackHome;
  /** What has to be exported beside the stack's own variables. */
  env: Record<string, string>;
  /** Makes the app reachable from this machine, once it has its active Service. */
  openApp?: (cluster: Cluster, app: string) => Promise<void>;
}

export const localNamespace = "chatgpt-local";

/** The local stage, started if it does not run, with both versions of the app loaded. */
export async function localTarget(): Promise<Target> {
  const [oldTag, newTag] = ["v1", "v2"] as const;
  let stage: Stage | undefined;
  await runTasks([
    ...startStageTasks((started) => {
      stage = started;
    }),
    {
      title: "Images of the app, v1 and v2",
      run: async () => {
        await loadImages([oldTag, newTag].map((release) => ({ tag: release, release, fault: "none" })));
      },
    },
  ]);
  if (stage === undefined) throw new Error("The tasks of the stage ended without a stage.");
  return {
    home: localHome(),
    context: stage.context,
    namespace: localNamespace,
    namespacePerColor: false,
    imageRepository: stage.imageRepository,
    oldTag,
    newTag,
    databaseAdminUrl: stage.postgres.adminUrl,
    databaseAddress: stage.postgres.address,
    redisUrl: stage.redis.url,
    env: { KUBECONFIG: stage.kubeconfig },
    openApp,
  };
}

/** A cluster of the user's, after the user has agreed. */
export async function foreignTarget({ yes, ...options }: ForeignOptions): Promise<Target> {
  const { context, namespace } = options;
  const cluster = connect({ context, namespace, namespacePerColor: false });
  const home = foreignHome(context, namespace);
  const kubeconfig = process.env["KUBECONFIG"];
  await refuseStrangersNamespace(cluster, home);
  if (!yes) await ask(cluster, options);
  await runTasks([pulumiTask]);
  return {
    ...options,
    namespacePerColor: false,
    home,
    env: kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig },
  };
}

/**
 * A namespace that this stack did not make is somebody's, whatever its name. The folder is made after this
 * check.
 */
async function refuseStrangersNamespace({ core, namespace }: Cluster, { folder }: StackHome): Promise<void> {
  if (existsSync(folder)) return;
  if ((await orUndefined(core.readNamespace({ name: namespace }))) === undefined) return;
  throw new UserError({
    code: "BG-NAMESPACE-TAKEN",
    what: `Namespace ${namespace} was refused: it is there already, and npm start has not made it`,
    rule: "npm start touches nothing that it did not create",
    next: "choose another one: --namespace NAME",
  });
}

async function ask(
  { config, namespace }: Cluster,
  { context, imageRepository, oldTag, newTag, databaseAdminUrl }: Omit<ForeignOptions, "yes">,
): Promise<void> {
  const account = names.databaseAccount(namespace, app);
  const plan = `It will, in context ${context} (${config.getCurrentCluster()?.server ?? "unknown server"}):
  - make the namespace ${namespace} and in it Deployments of ${imageRepository}:${oldTag} and :${newTag}, Services, Ingresses and Secrets
  - make the role and the database ${account} on ${decodeURIComponent(URL.parse(databaseAdminUrl)?.host ?? "the server")} of ${databaseVariable}
  - send a bounded load to the app from a Job in that namespace
It changes nothing else.`;
  if (!process.stdin.isTTY) {
    throw new UserError({
      code: "BG-NOT-CONFIRMED",
      what: `Context ${context} was not touched: there is no terminal to ask at`,
      rule: `it was not made by npm start. ${plan}`,
      next: "repeat the command with --yes",
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${plan}\nContinue? (yes/no) `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new UserError({
    code: "BG-NOT-CONFIRMED",
    what: `Context ${context} was not touched`,
    rule: "the answer was not yes",
    next: "npm start, which uses a cluster of its own",
  });
}
