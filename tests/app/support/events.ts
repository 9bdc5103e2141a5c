const fields = ["id", "event", "retry", "data"] as const;

export type ServerEvent = Partial<Record<(typeof fields)[number], string>>;

/** Reads `count` blocks of an event stream, or all of them until it ends. */
export async function readEvents(response: Response, count = Infinity): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  let text = "";
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (text + part).split("\n\n");
    text = blocks.pop() ?? "";
    events.push(...blocks.map(parse));
    if (events.length >= count) return events.slice(0, count);
  }
  return events;
}

function parse(block: string): ServerEvent {
  const event: ServerEvent = {};
  for (const line of block.split("\n")) {
    const [, name, value = ""] = /^(\w+): (.*)$/.exec(line) ?? [];
    const field = fields.find((known) => known === name);
    if (field !== undefined) event[field] = value;
  }
  return event;
}
