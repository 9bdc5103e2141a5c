import { z } from "zod";
import { isSecureUrl, secureUrlRule } from "../../util/http.js";
import {
  objectField,
  objectOf,
  part,
  deployment,
  flag,
  integer,
  state,
  asWritten,
  field,
  json,
} from "../fields.js";
import { isRedisUrl, leadsOut, variable } from "../forms.js";
import { gates, gatesRule } from "../gates.js";

const writeFreeze = objectOf(
  {
    maxSeconds: part(z.int().min(0).max(600).default(0), "0 to 600; 0: no freeze"),
    gracePeriodMs: part(z.int().min(0).max(60_000).default(1000), "0 to 60000, and less than maxSeconds"),
    // A socket where Redis is on this machine.
    redisUrl: part(
      z
        .string()
        .refine((text) => text === "" || isRedisUrl(text) || /^unix:\/\/\/[^\s@?]+$/.test(text))
        .default(""),
      "redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, without a password",
    ),
  },
  [
    ({ maxSeconds, gracePeriodMs }) => maxSeconds === 0 || gracePeriodMs < maxSeconds * 1000,
    "gracePeriodMs less than maxSeconds",
  ],
  [({ maxSeconds, redisUrl }) => maxSeconds === 0 || redisUrl !== "", "redisUrl with maxSeconds"],
);

const drainPort = z.union([z.literal(0), z.int().min(1024).max(65_535)]);

const connectionDrain = objectOf({
  timeoutSeconds: part(z.int().min(0).max(3600).default(30), "0 to 3600; 0: nobody waits"),
  port: part(drainPort.default(3001), "1024 to 65535, not that of http; 0: pods have none"),
});

/** What spares users and data while an update changes something. */
export const safeguardsShape = {
  lockWaitSeconds: integer(
    60,
    0,
    3600,
    "seconds",
    state,
    "Seconds, 0 to 3600, to wait for another update that releases the app at the moment (docs/guides/concurrent-updates.md).",
  ),
  allowInPlaceUpdate: flag(
    false,
    "Lets the live color's pods change in place, as a rolling update, after a preflight pod that no user reaches has passed the gates of a switch. Also lets a switch change the variables of the color it leaves (docs/guides/configuration-per-release.md).",
  ),
  deletionProtection: flag(
    true,
    "Refuses `pulumi destroy`, and a program without them, to delete what serves traffic (docs/guides/concurrent-updates.md). To destroy the stack, set it to false, run `pulumi up`, and then `pulumi destroy`.",
  ),
  writeFreeze: objectField(writeFreeze, {
    description:
      "Asks the app not to write during a switch (docs/guides/write-freeze.md). maxSeconds: after which it ends in any case, 0 to 600, 0 for none. gracePeriodMs: wait between asking and moving, 0 to 60000, less than maxSeconds. redisUrl: where the request is left, in the Redis that the app asks, as this program reaches it; without a password; needed with maxSeconds.",
    example: "--path writeFreeze.maxSeconds 30",
    ends: "secret",
    late: { redisUrl: "redis://late.invalid" },
  }),
  connectionDrain: objectField(connectionDrain, {
    description:
      "How clients leave the color that traffic has moved from (docs/guides/connection-draining.md). timeoutSeconds: 0 to 3600, within which their connections and streams end; the color is not touched before. 0: nobody waits. port: where pods take the order, inside the pod alone; 0: they take none.",
    example: "--path connectionDrain.timeoutSeconds 30",
    ends: deployment,
  }),
};

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

const receiverUrl = part(
  z
    .string()
    .max(2000)
    .refine((text) => text === "" || isSecureUrl(text))
    .default(""),
  secureUrlRule,
);

const alerts = objectOf(
  {
    slackUrl: receiverUrl,
    webhookUrl: receiverUrl,
    webhookSecret: part(
      z.union([z.literal(""), z.string().min(16).max(1000)]).default(""),
      "16 characters or more; with webhookUrl, and only then",
    ),
    pagerDutyKey: part(
      z
        .string()
        .regex(/^([A-Za-z0-9]{32})?$/)
        .default(""),
      "the 32 letters and digits of an Events API v2 integration",
    ),
  },
  [
    ({ webhookUrl, webhookSecret }) => (webhookUrl === "") === (webhookSecret === ""),
    "webhookSecret with webhookUrl, and only then",
  ],
);

/** Who is told. */
export const alertsShape = {
  alerts: objectField(alerts, {
    description:
      "Each part a secret. Who is told about switches, rollbacks and failed gates (docs/guides/alerts.md); the program makes Secret APP-alerts of it. slackUrl: an incoming webhook. webhookUrl: takes signed JSON; webhookSecret signs it, 16 characters or more. pagerDutyKey: of an Events API v2 integration.",
    example: "--path alerts.slackUrl --secret",
    ends: "secret",
    late: {
      slackUrl: "https://late.invalid/",
      webhookUrl: "https://late.invalid/",
      webhookSecret: "late".repeat(4),
      pagerDutyKey: "0".repeat(32),
    },
  }),
};
