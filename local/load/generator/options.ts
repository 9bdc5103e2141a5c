/** What the environment variable LOAD holds, as JSON. */
export interface GeneratorOptions {
  /** Base URL without a path. */
  target: string;
  /** The name to ask for, in Host and in TLS, where the target is an address. */
  host?: string;
  /** File with the certificates that the target's has to come from, PEM; needed with https. */
  caFile?: string;
  /** They take turns, so each gets an equal share of the rate. HTTP/2 needs https. */
  clients: RequestClient[];
  /**
   * One question in so many is a call of a tool, the others ask for a user; each kind of client asks both.
   */
  toolCallEvery: number;
  /** Each answer by itself, or answers counted by the second, which stays small however long it runs. */
  output: "answers" | "seconds";
  /** Requests per second, all kinds of clients together. */
  rate: number;
  /** The longest that it sends. */
  seconds: number;
  /** When a request counts as failed, from the moment it was due. */
  timeoutMs: number;
  /** Connections that the keep-alive clients share, and as many for the HTTP/2 clients. */
  connections: number;
  /** Where POST /stop ends it early. 0: any free port. */
  controlPort: number;
}

/**
 * short: a new connection for each request; keep-alive: connections are used again; http2: many requests at a
 * time on each.
 */
export type RequestClient = (typeof requestClients)[number];

export const requestClients = ["short", "keep-alive", "http2"] as const;

const maxRate = 2000;
/** What has to fit in a pod's log, and in the memory of who reads it. */
export const bounds = {
  answers: { seconds: 600, requests: 200_000 },
  seconds: { seconds: 5400, requests: 2_000_000 },
} as const;

/** @throws Error with every rule that is broken */
export function readOptions(text: string): GeneratorOptions {
  const given = JSON.parse(text) as GeneratorOptions; // checked below
  const {
    target,
    host,
    caFile,
    clients,
    toolCallEvery,
    output,
    rate,
    seconds,
    timeoutMs,
    connections,
    controlPort,
  } = given;
  const most = output === "seconds" ? bounds.seconds : bounds.answers;
  const secure = target.startsWith("https:");
  const within = (value: number, min: number, max: number): boolean =>
    Number.isInteger(value) && value >= min && value <= max;
  const rules: [boolean, string][] = [
    [
      /^https?:\/\/[^/]+$/.test(target),
      `target ${JSON.stringify(target)} must be http://HOST:PORT or https://HOST:PORT`,
    ],
    [
      host === undefined || /^[a-z0-9.-]{1,253}$/.test(host),
      `host ${JSON.stringify(host)} must be the name of a host`,
    ],
    [
      secure === (caFile !== undefined),
      `caFile ${JSON.stringify(caFile)} must be given with https, and only then`,
    ],
    [
      clients.length > 0 && clients.every((client) => requestClients.includes(client)),
      `clients ${JSON.stringify(clients)} must be some of ${requestClients.join(", ")}`,
    ],
    [
      secure || !clients.includes("http2"),
      "clients may have http2 only with https: that is where HTTP/2 is agreed on",
    ],
    [within(toolCallEvery, 1, 1000), `toolCallEvery ${String(toolCallEvery)} must be from 1 to 1000`],
    [["answers", "seconds"].includes(output), `output ${JSON.stringify(output)} must be answers or seconds`],
    [within(rate, 1, maxRate), `rate ${String(rate)} must be from 1 to ${String(maxRate)}`],
    [
      within(seconds, 1, most.seconds),
      `seconds ${String(seconds)} must be from 1 to ${String(most.seconds)}`,
    ],
    [
      rate * seconds <= most.requests,
      `rate × seconds is ${String(rate * seconds)} and must be at most ${String(most.requests)}`,
    ],
    [within(timeoutMs, 1, 60_000), `timeoutMs ${String(timeoutMs)} must be from 1 to 60000`],
    [within(connections, 1, 1000), `connections ${String(connections)} must be from 1 to 1000`],
    [within(controlPort, 0, 65_535), `controlPort ${String(controlPort)} must be a port`],
  ];
  const broken = rules.filter(([holds]) => !holds).map(([, rule]) => rule);
  if (broken.length > 0) throw new Error(`LOAD was refused: ${broken.join("; ")}`);
  return given;
}
