import type { ErrorTexts } from "./errorText.js";

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
