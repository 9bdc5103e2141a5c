import type { RequestHandler } from "express";
import { z } from "zod";
import type { Settings } from "./settings";
import type { Streams } from "./streams";

const query = z.object({
  period: z.coerce
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(1000)
    .describe("milliseconds between two events"),
});

/** GET /stream: numbered events, continued after Last-Event-ID, whichever color the client comes back to. */
export function ticks(settings: Settings, streams: Streams): RequestHandler {
  return (request, response) => {
    const { period } = query.parse(request.query);
    let id = lastEventId(request.get("last-event-id"));
    const stream = streams.open(response);
    const tick = (): void => {
      id += 1;
      stream.send({
        id,
        event: "tick",
        data: { at: new Date().toISOString(), color: settings.ENVIRONMENT, version: settings.APP_VERSION },
      });
    };
    tick();
    const timer = setInterval(tick, period);
    response.once("close", () => {
      clearInterval(timer);
    });
  };
}

function lastEventId(header: string | undefined): number {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : 0;
}
