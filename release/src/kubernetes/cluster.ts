import { statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import {
  AppsV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  CoordinationV1Api,
  CoreV1Api,
  DiscoveryV1Api,
  type KubeConfig,
} from "./client.js";
import type { ColorNamespaces } from "../app/namespaces.js";
import { messageOf, UserError } from "../util/userError.js";
import { BoundedKubeConfig } from "./transport.js";

/** Where a release happens: a context of the kubeconfig, and the namespaces of an app in it. */
export type ClusterRef = ColorNamespaces & {
  /**
   * Context name; empty means the kubeconfig's current context. The kubeconfig is found as kubectl finds it
   * (KUBECONFIG, ~/.kube/config, in-cluster).
   */
  context: string;
};

export interface Cluster extends ColorNamespaces {
  config: KubeConfig;
  core: CoreV1Api;
  apps: AppsV1Api;
  autoscaling: AutoscalingV2Api;
  batch: BatchV1Api;
  discovery: DiscoveryV1Api;
  coordination: CoordinationV1Api;
}

/**
 * How the client library calls what it makes up where it finds no kubeconfig: an API server on this machine
 * without TLS.
 */
const madeUpContext = "loaded-context";

/** @throws UserError when there is none, or it cannot be read */
export function loadKubeConfig(): KubeConfig {
  const refuse = (rule: string, cause?: unknown) =>
    new UserError(
      {
        code: "BG-KUBECONFIG-MISSING",
        what: "No Kubernetes cluster was asked",
        rule,
        next: "export KUBECONFIG=…, or kubectl config use-context NAME",
      },
      { cause },
    );
  const config = new BoundedKubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    throw refuse(`the kubeconfig cannot be read: ${messageOf(error)}`, error);
  }
  if (config.currentContext === madeUpContext)
    throw refuse("there is no kubeconfig: neither KUBECONFIG nor ~/.kube/config names one");
  return config;
}

/** By context: all steps of an update share its connections, and the token that a login command brought. */
const loaded = new Map<string, { files: string; config: KubeConfig }>();

/** The kubeconfig, with a context chosen in it; read again when one of its files has changed. */
function configFor(context: string): KubeConfig {
  const paths = process.env["KUBECONFIG"] ?? join(homedir(), ".kube", "config");
  const files = JSON.stringify([
    paths,
    paths.split(delimiter).map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs),
  ]);
  const known = loaded.get(context);
  if (known?.files === files) return known.config;
  const config = loadKubeConfig();
  chooseContext(config, context);
  loaded.set(context, { files, config });
  return config;
}

/** @throws UserError when the context does not exist */
function chooseContext(config: KubeConfig, context: string): void {
  if (context !== "") {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(context)) {
      throw new UserError({
        code: "BG-CONTEXT-UNKNOWN",
        what: `Kubernetes context "${context}" was refused`,
        rule: `the kubeconfig knows ${known.length > 0 ? known.join(", ") : "no context"}`,
        next: "kubectl config get-contexts, then pulumi config set context NAME",
      });
    }
    config.setCurrentContext(context);
  }
}

/** @throws UserError when there is no kubeconfig, or the context does not exist */
export function connect({ context, namespace, namespacePerColor }: ClusterRef): Cluster {
  const config = configFor(context);
  return {
    namespace,
    namespacePerColor,
    config,
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    autoscaling: config.makeApiClient(AutoscalingV2Api),
    batch: config.makeApiClient(BatchV1Api),
    discovery: config.makeApiClient(DiscoveryV1Api),
    coordination: config.makeApiClient(CoordinationV1Api),
  };
}
