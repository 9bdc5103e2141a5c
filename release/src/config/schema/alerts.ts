import { z } from "zod";
import { isSecureUrl, secureUrlRule } from "../../util/secureUrl.js";
import { objectField, objectOf, part } from "../fields.js";

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
