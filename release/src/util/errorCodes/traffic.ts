import type { ErrorTexts } from "./errorText.js";

/** What traffic moves by, and who may move it: switches, shifts and rollbacks. */
export const trafficErrors = {
  "BG-INGRESS-CLASS-WRONG": {
    cause: "The controller of the IngressClass does not read the annotations of `traffic.router`.",
    remedy: "Set the router that goes with the controller, or another IngressClass, as the message says.",
  },
  "BG-LIVE-COLOR-CHANGED": {
    cause: "The update would change a color in place that gets traffic.",
    remedy:
      "Put the change on the idle color and switch, or allow it: `pulumi config set allowInPlaceUpdate true`.",
  },
  "BG-LIVE-COLOR-UNKNOWN": {
    cause: "The selector of the active Service names neither blue nor green.",
    remedy: "Patch the Service to the healthy color with the command of the message.",
  },
  "BG-LOCK-HELD": {
    cause: "Another update or shift of this app is running.",
    remedy: "Wait for its end, or raise `lockWaitSeconds`; a dead holder's lock expires by itself.",
  },
  "BG-LOCK-LEFT-OUT": {
    cause: "`--target` or `--exclude` leaves out the live lock, and the active color or the weights change.",
    remedy: "Run `pulumi up` without `--target` or `--exclude`.",
  },
  "BG-LOCK-LOST": {
    cause: "The lock could not be renewed in time, so somebody else may have it.",
    remedy: "Once the cluster answers, run the command again.",
  },
  "BG-OUTCOME-UNKNOWN": {
    cause: "The answer to a request that moves traffic was lost: it may have been carried out.",
    remedy: "Check with `npm run bluegreen -- status`, and repeat the command unless traffic has moved.",
  },
  "BG-REDIS-UNREACHABLE": {
    cause: "Redis does not answer, so the write freeze cannot be set.",
    remedy:
      "Check `writeFreeze.redisUrl`, or switch without it: `pulumi config set --path writeFreeze.maxSeconds 0`.",
  },
  "BG-ROLLBACK-FAILED": {
    cause: "A rollback was due, and the previous color has no ready pod: traffic stays where it is.",
    remedy: "Start the previous color's pods, then `npm run bluegreen -- rollback`.",
  },
  "BG-ROLLBACK-NOT-POSSIBLE": {
    cause: "There is nothing to roll back: no previous color, no canary traffic, or no active Service.",
    remedy: "Check with `npm run bluegreen -- history`; any other move is a switch through all gates.",
  },
  "BG-ROLLED-BACK": {
    cause:
      "The analysis found that the new version does harm, or a cluster of the release failed: traffic was rolled back.",
    remedy: "Read the evidence of the message, correct the version, and release a new image.",
  },
  "BG-ROUTER-OBJECT-CHANGED": {
    cause: "The ingress object that holds the weights is missing, or was changed by somebody else.",
    remedy: "Run `pulumi up --refresh`, which creates it again.",
  },
  "BG-SHIFT-NOT-SUPPORTED": {
    cause: "A gradual shift needs one cluster, and a router with weights.",
    remedy: "Set `traffic.strategy` to weighted, or switch: `pulumi config set activeColor COLOR`.",
  },
  "BG-SHIFT-WITH-SWITCH": {
    cause: "`activeColor` and `canaryWeight` were changed at once.",
    remedy: "Do one after the other: remove `canaryWeight`, switch, then shift.",
  },
  "BG-STANDBY-CONFIG-CHANGED": {
    cause: "A switch would also change the variables of the color that a rollback returns to.",
    remedy:
      "Give the new color variables of its own, or allow it: `pulumi config set allowInPlaceUpdate true`.",
  },
  "BG-STANDBY-NEEDED": {
    cause: "The standby is what a rollback needs, and its time is not over.",
    remedy: "Wait, or give up the rollback: `npm run bluegreen -- scale-down --now`.",
  },
  "BG-SWITCH-OVERTAKEN": {
    cause: "Somebody else moved traffic or began another switch meanwhile.",
    remedy: "Check with `npm run bluegreen -- history`, then run `pulumi up`.",
  },
  "BG-WEIGHTS-IGNORED": {
    cause: "The ingress controller does not give the idle color the configured weight of requests.",
    remedy: "Set `traffic.router` to the controller that serves the app's host.",
  },
  "BG-WRITE-FREEZE-HELD": {
    cause: "Another release holds the write freeze of this app.",
    remedy: "Wait until it ends, then `pulumi up`.",
  },
  "BG-WRITE-FREEZE-LOST": {
    cause: "Redis lost the write freeze before traffic moved.",
    remedy: "Run `pulumi up`; Redis must not evict the key (`maxmemory-policy`).",
  },
} as const satisfies ErrorTexts;

/** What has to pass before traffic moves, and what harms the live color meanwhile. */
export const gateErrors = {
  "BG-APPROVAL-MISSING": {
    cause: "Traffic would move without the approval of the gates, which `--target` can leave out.",
    remedy: "Run `pulumi up` without `--target`.",
  },
  "BG-CONTROLLER-NOT-READY": {
    cause: "The analysis controller has no ready pod of its newest template, and a switch needs one.",
    remedy:
      "Correct its image or rights, or switch without it: `pulumi config rm --path analysis.controllerImage`.",
  },
  "BG-GATE-FAILED": {
    cause:
      "The program of a gate of yours ended with another code than 0; its last lines are in the message.",
    remedy: "Correct the version or the gate; see [Gates](../guides/gates.md).",
  },
  "BG-GATE-NOT-RUN": {
    cause: "A variable that `passEnv` of a gate names is not set where Pulumi runs.",
    remedy: "Set it, and run `pulumi up` again.",
  },
  "BG-GATE-TIMEOUT": {
    cause: "The program of a gate of yours did not end within its `timeoutSeconds`.",
    remedy: "Read its last lines in the message, or raise `timeoutSeconds` of the gate.",
  },
  "BG-LIVE-HARMED": {
    cause: "The live color got worse while an update migrated or rolled out the idle one beside it.",
    remedy:
      "Read what this update did in the minute before, correct that, and release a new image; see [Analysis](../guides/analysis-and-rollback.md#while-the-idle-color-deploys).",
  },
  "BG-PREFLIGHT-FAILED": {
    cause: "The preflight pod of an in-place update was not ready in time, restarted, or was removed.",
    remedy: "Correct the version, or test it on the idle color, where its pods stay.",
  },
  "BG-SMOKE-FAILED": {
    cause: "Smoke tests failed against the idle color; the message names them.",
    remedy: "Correct the version, push a new image, and set its tag.",
  },
  "BG-SMOKE-NO-TESTS": {
    cause:
      "The smoke tests cannot be loaded, which a preview finds; or the suite ran no test, or mocha did not end as it should.",
    remedy: "Run the suite by hand with the command of the message.",
  },
  "BG-SMOKE-TIMEOUT": {
    cause: "The smoke suite did not end within `smokeTimeoutSeconds`.",
    remedy: "Inspect the slow test, or raise `smokeTimeoutSeconds`.",
  },
} as const satisfies ErrorTexts;
