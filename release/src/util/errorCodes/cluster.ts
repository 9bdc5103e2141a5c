import type { ErrorTexts } from "./errorText.js";

/** A cluster, its namespaces, and what the app has to find there. */
export const clusterErrors = {
  "BG-ACTIVE-SERVICE-MISSING": {
    cause: "The namespace has no active Service of the app in this cluster.",
    remedy:
      "Make the first release with `pulumi up`, or correct the context: `pulumi config set context NAME`.",
  },
  "BG-CLUSTER-UNIDENTIFIED": {
    cause: "The uid of namespace kube-system, which tells clusters apart, cannot be read.",
    remedy: "Allow the account that runs pulumi to get it: `npm run --silent bluegreen -- doctor --rbac`.",
  },
  "BG-CLUSTER-UNREACHABLE": {
    cause: "The API server of a cluster did not answer, or refused the request.",
    remedy: "Run the kubectl command of the message, and correct context, network or credentials.",
  },
  "BG-CLUSTERS-CHANGED": {
    cause: "The stack has fewer clusters than when the dashboard was started.",
    remedy: "Start the dashboard again.",
  },
  "BG-CLUSTERS-DIFFER": {
    cause: "The clusters of the stack have different active colors, so no color is idle in all of them.",
    remedy: "Run `pulumi up`, which brings them to the configured color.",
  },
  "BG-CONTEXT-UNKNOWN": {
    cause: "The kubeconfig has no context of this name.",
    remedy: "Take one that `kubectl config get-contexts` shows: `pulumi config set context NAME`.",
  },
  "BG-DEPLOYMENT-MISSING": {
    cause: "The Deployment of a color does not exist, or this program has not created it.",
    remedy: "Run `pulumi up`; a color without a release cannot be rolled back to.",
  },
  "BG-KUBECONFIG-MISSING": {
    cause: "There is no kubeconfig, or it cannot be read.",
    remedy: "Set KUBECONFIG, or select a context: `kubectl config use-context NAME`.",
  },
  "BG-LOGIN-FAILED": {
    cause: "The login command of the kubeconfig's user failed.",
    remedy: "Log in with the kubectl command of the message, then run the command again.",
  },
  "BG-NAMESPACE-NOT-FOUND": {
    cause: "The namespace does not exist in the cluster of this context.",
    remedy: "Correct the context, or, where the namespace was deleted, `pulumi up --refresh`.",
  },
  "BG-NAMESPACE-PER-COLOR-CHANGED": {
    cause: "`namespacePerColor` was changed for an app that has traffic.",
    remedy: "Set it back; to move the app, release a second stack beside it.",
  },
  "BG-NAMESPACE-REPLACED": {
    cause: "The namespace or the cluster is not the one that this stack was released to.",
    remedy: "Correct the context, or, if it was replaced, `pulumi up --refresh`.",
  },
  "BG-NAMESPACE-TAKEN": {
    cause: "`npm start` would use a namespace that it has not created.",
    remedy: "Choose another one: `--namespace NAME`.",
  },
  "BG-SECRET-MISSING": {
    cause: "A Secret of the app does not exist, or lacks a key.",
    remedy: "Create it with the command of the message, then `pulumi up`.",
  },
} as const satisfies ErrorTexts;
