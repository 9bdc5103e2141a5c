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

/** Pods of a color, their image, and room for them. */
export const podErrors = {
  "BG-AUTOSCALER-NOT-OURS": {
    cause:
      "An autoscaler that the program has not made scales a color, and config wants one of the program's.",
    remedy:
      "Set `autoscaling.maxReplicas` 0 to leave the color to it, or delete it; see [Scaling](../guides/scaling.md).",
  },
  "BG-BUDGET-NOT-OURS": {
    cause: "A PodDisruptionBudget that the program has not made has the name of a color's.",
    remedy: "Keep it with `pulumi config set podDisruptionBudget false`, or delete it.",
  },
  "BG-COLOR-NOT-READY": {
    cause: "The color did not have all its replicas ready within `progressDeadlineSeconds`.",
    remedy: "Read the events and logs of its pods, or raise `progressDeadlineSeconds`.",
  },
  "BG-IMAGE-BLOCKED": {
    cause: "This image was rolled back, and is refused until it changes.",
    remedy: "Push a new image, or allow this one again: `npm run bluegreen -- unblock COLOR`.",
  },
  "BG-IMAGE-CHANGED": {
    cause: "Somebody has given a color another image than config, `kubectl set image` for instance.",
    remedy: "Give that image to the color in config, or put back what config names, as the message says.",
  },
  "BG-IMAGE-NOT-PULLED": {
    cause: "The nodes cannot pull the image: wrong name or tag, or missing credentials.",
    remedy: "Push the image, or set a tag that exists, then `pulumi up`.",
  },
  "BG-JOB-NOT-STARTED": {
    cause: "The pod of a Job of the release could not be created, or does not start.",
    remedy: "Correct what the message says: image, Secret, quota or Pod Security.",
  },
  "BG-LIVE-IMAGE-CHANGED": {
    cause:
      "Somebody has given a color that serves traffic another image than config, and the update would undo that, after a refresh for instance.",
    remedy:
      "Release that image on the other color, by an update without `--refresh`; or take it away: `pulumi config set allowInPlaceUpdate true`, then `pulumi up --refresh`. On a color with a canary weight: remove the weight first.",
  },
  "BG-POD-CRASHING": {
    cause: "The container of a new pod ends again and again.",
    remedy: "Read its log with the command of the message, then set a tag of a version that starts.",
  },
  "BG-POD-NOT-STARTED": {
    cause: "A new pod does not start: the scheduler, a volume or the node refuses it.",
    remedy: "Read its events with the command of the message.",
  },
  "BG-PODS-NOT-CREATED": {
    cause: "Kubernetes refuses to create a pod: a quota, a limit range or an admission rule.",
    remedy: "Read the namespace's quotas and events with the commands of the message.",
  },
  "BG-PODS-TRANSFORMED": {
    cause: "A transform, or a policy's remediation, changes pods behind the program.",
    remedy:
      "Use an argument of the app, and leave the resource that the message names out of transforms and remediations.",
  },
  "BG-QUOTA-EXCEEDED": {
    cause: "A ResourceQuota has no room for the pods of both colors.",
    remedy: "Raise the quota with the command of the message, or use fewer replicas.",
  },
  "BG-REPLICAS-BELOW-LIVE": {
    cause: "Removing the autoscaler would leave the live color fewer pods than it has now.",
    remedy: "Set `replicas` to the current number first, then reduce it step by step.",
  },
  "BG-TOO-FEW-READY-PODS": {
    cause: "The color that takes over has fewer ready pods than the traffic needs.",
    remedy: "Start its pods or raise `replicas`, then repeat the command.",
  },
  "BG-WORKERS-NOT-READY": {
    cause: "Workers of a color were not ready within `progressDeadlineSeconds`.",
    remedy: "Inspect the pods that the message names; `npm run bluegreen -- rollback` where users suffer.",
  },
  "BG-WORKERS-NOT-STOPPED": {
    cause: "Pods of workers that run on the active color alone did not end in time.",
    remedy: "Inspect the pods that the message names, and their node, then `pulumi up`.",
  },
} as const satisfies ErrorTexts;
