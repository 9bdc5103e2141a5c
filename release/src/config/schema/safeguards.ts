import { z } from "zod";
import { objectField, objectOf, part } from "../fields.js";
import { isRedisUrl } from "../forms.js";
import { deployment, flag, integer, state } from "./kinds.js";

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
