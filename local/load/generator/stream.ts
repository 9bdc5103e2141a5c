import { colorOf, describe } from "./exchange";
import type { Collector } from "./lines";
import type { Way } from "./way";

/** The stream sends twice a second; this long without anything is a stream that is dead. */
const silenceMs = 5000;

/**
 * Keeps one stream of server-sent events open, as a client of the protocol would: it comes back
 * after the time that the server hints at. A stream that breaks off without a word was cut.
 * @returns what ends it
 */
export function openStream(
  way: Way,
  seen: Pick<Collector, "event" | "cut">,
  reconnecting: () => void,
): () => void {
  const agent = way.agent({ keepAlive: false });
  let lastEventId = "";
  let retryMs = 1000;
  let closed = false;
  let current: { destroy(): void } | undefined;
  let again: NodeJS.Timeout | undefined;

  const connect = (): void => {
    let text = "";
    let announced = false;
    let over = false;
    const ended = (cut: string): void => {
      if (over || closed) return;
      over = true;
      if (cut !== "") seen.cut(cut);
      reconnecting();
      again = setTimeout(connect, retryMs);
    };
    const outgoing = way.request(
      `${way.target}/stream?period=500`,
      {
        agent,
        timeout: silenceMs,
        headers: {
          host: way.host,
          accept: "text/event-stream",
          ...(lastEventId !== "" && { "last-event-id": lastEventId }),
        },
      },
      (response) => {
        if (response.statusCode !== 200) outgoing.destroy(new Error(`status ${String(response.statusCode)}`));
        const color = colorOf(response.headers);
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          const blocks = (text + part).split("\n\n");
          text = blocks.pop() ?? "";
          for (const block of blocks) {
            const fields = new Map(
              block
                .split("\n")
                .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
            );
            lastEventId = fields.get("id") ?? lastEventId;
            retryMs = Number(fields.get("retry") ?? retryMs);
            announced ||= fields.get("event") === "end";
            if (fields.get("event") === "tick") seen.event(color);
          }
        });
        response.on("end", () => {
          if (text !== "") ended("the stream ended in the middle of a message");
          else ended(announced ? "" : "the stream ended without saying so");
        });
        response.on("error", (error) => {
          ended(describe(error));
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`nothing for ${String(silenceMs)} ms`)));
    outgoing.on("error", (error) => {
      ended(describe(error));
    });
    outgoing.end();
    current = outgoing;
  };
  connect();
  return () => {
    closed = true;
    clearTimeout(again);
    current?.destroy();
  };
}
