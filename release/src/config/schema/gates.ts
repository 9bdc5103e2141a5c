import { z } from "zod";
import { asWritten, field, json } from "../fields.js";
import { leadsOut, variable } from "../forms.js";
import { gates, gatesRule } from "../gates.js";
import { flag, integer, state } from "./kinds.js";

/** What the gate itself tells the smoke tests. */
const suiteVariables = ["BASE_URL", "EXPECT_COLOR", "EXPECT_VERSION"];

/** What a color has to pass before it gets traffic. */
export const gatesShape = {
  smokeTimeoutSeconds: integer(
    300,
    1,
    3600,
    "seconds",
    state,
    "Seconds that the smoke suite may take; then it is ended, with everything that its tests have started.",
  ),
  smokeTests: field(
    z
      .string()
      .min(1)
      .regex(/^\P{Cc}+$/u)
      .refine((glob) => !leadsOut(glob))
      .default("tests/smoke/**/*.ts"),
    {
      rule: "a glob of mocha test files below the program's folder",
      description:
        "Glob, below the program's folder, of the mocha tests that a color has to pass before it gets traffic.",
      example: "tests/smoke/**/*.ts",
      ends: state,
    },
  ),
  smokeEnv: field(
    json(
      z
        .array(
          z
            .string()
            .regex(variable)
            .refine((name) => !suiteVariables.includes(name)),
        )
        .max(50)
        .default([]),
    ),
    {
      rule: `a list of at most 50 names of variables, without ${suiteVariables.join(", ")}`,
      description:
        "Names of variables that the smoke tests get from where Pulumi runs, secret ones included: the values are in no config, and hidden in what a test says.",
      example: "--path 'smokeEnv[0]' TEST_TOKEN",
      ends: state,
      parts: {},
    },
  ),
  smokeLiveColor: flag(
    false,
    "Runs the smoke tests against the live color as well, in an update that deploys or migrates: before its first migration, after its migrations, and once the idle pods are ready. A test that passed before and fails after stops the update (docs/guides/analysis-and-rollback.md#its-own-smoke-tests). The tests have to bear being run several times against what serves traffic.",
  ),
  gates: field(json(gates, asWritten), {
    rule: gatesRule,
    description:
      "Programs of yours that decide whether a release continues (docs/guides/gates.md). when: beforeRollout (of each new pod template of a color), beforeSwitch, afterSwitch (traffic returns unless it passes) or beforeScaleDown (of the standby). command: words of a program where Pulumi runs, in the program's folder, without a shell. job: instead of it, a Job of any image in the color's namespace. Exit code 0 passes. env: variables for it, never encrypted. passEnv: names of variables of pulumi's own environment that a command gets, secrets among them. job.envFromSecrets: variables from Secrets, as SECRET/KEY. timeoutSeconds: after which it is ended with everything that it has started.",
    example: `'[{"name":"load","when":"beforeSwitch","command":["k6","run","load.js"]}]'`,
    ends: { place: "the stack's state and Jobs", instead: "passEnv or job.envFromSecrets of the gate" },
    parts: {},
    argType: "GateArgs[]",
  }),
};
