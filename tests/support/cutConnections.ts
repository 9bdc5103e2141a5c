import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Where in a run a connection is to be cut. */
export interface CutAt {
  /**
   * Which statement, counted from 1. One that the same kind of session has sent before in this run is not
   * counted again: how often it polls is the clock's.
   */
  number: number;
  /**
   * `before`: the server never gets it, and only this connection ends. `after`: it has done it, its answer is
   * lost, and it is out of reach to the end of the run.
   */
  when: "before" | "after";
}

/** PostgreSQL servers behind a network that cuts a connection at a statement. */
export interface CutConnections {
  /** A server's URL, by way of this network. */
  through(url: string): Promise<string>;
  /**
   * Does a run, and cuts one of its connections. @returns the statement; undefined when the run came to its
   * end before
   */
  cutting(at: CutAt, run: () => Promise<void>): Promise<string | undefined>;
  close(): void;
}

export function cutConnections(): CutConnections {
  const ways = new Map<string, Way>();
  let at: CutAt | undefined;
  let seen = new Set<string>();
  let cut: string | undefined;
  /** When to cut the connection that sends this. */
  const decide = (session: string, statement: string): CutAt["when"] | undefined => {
    const key = `${session}: ${statement}`;
    if (at === undefined || statement.includes("pg_blocking_pids") || seen.has(key)) return undefined;
    seen.add(key);
    if (seen.size !== at.number) return undefined;
    cut = statement.replaceAll(/\s+/g, " ");
    return at.when;
  };
  return {
    through: async (url) => {
      const socket = decodeURIComponent(new URL(url).hostname);
      const way = ways.get(socket) ?? (await openWay(`${socket}/.s.PGSQL.5432`, decide));
      ways.set(socket, way);
      const through = new URL(url);
      through.host = `127.0.0.1:${way.port}`;
      return through.href;
    },
    cutting: async (where, run) => {
      at = where;
      seen = new Set();
      cut = undefined;
      try {
        await run();
      } finally {
        at = undefined;
        for (const way of ways.values()) way.mend();
      }
      return cut;
    },
    close: () => {
      for (const way of ways.values()) way.close();
    },
  };
}

/** To one server. */
interface Way {
  port: number;
  /** Takes connections again. */
  mend: () => void;
  close: () => void;
}

async function openWay(
  socket: string,
  decide: (session: string, statement: string) => CutAt["when"] | undefined,
): Promise<Way> {
  const open = new Set<Socket>();
  let isDown = false;
  const endAll = () => {
    for (const side of open) side.destroy();
  };
  const server = createServer((client) => {
    if (isDown) {
      client.destroy();
      return;
    }
    const upstream = connect(socket);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const side of [client, upstream]) {
      open.add(side);
      side.on("error", end);
      side.on("close", () => {
        open.delete(side);
        end();
      });
    }
    let session = "";
    let isMute = false;
    const asked = splitter(true);
    const answered = splitter(false);
    client.on("data", (chunk) => {
      for (const { type, body, whole } of asked(chunk)) {
        if (type === "")
          session =
            body
              .toString()
              .split("\0")
              .at(1 + body.toString().split("\0").indexOf("application_name")) ?? "";
        const statement = statementOf(type, body);
        const when = statement === undefined ? undefined : decide(session, statement);
        if (when === "before") {
          end();
          return;
        }
        isMute ||= when === "after";
        upstream.write(whole);
      }
    });
    upstream.on("data", (chunk) => {
      if (!isMute) client.write(chunk);
      // It waits for the next one: what it was asked for is done.
      if (answered(chunk).some(({ type }) => type === "Z") && isMute) {
        isDown = true;
        endAll();
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.address() as AddressInfo).port,
    mend: () => {
      isDown = false;
    },
    close: () => {
      endAll();
      server.close();
    },
  };
}

/** A message of PostgreSQL's protocol. The first of a client has no type. */
interface Message {
  type: string;
  body: Buffer;
  whole: Buffer;
}

/** Takes a stream apart, whatever pieces it comes in. */
function splitter(isClient: boolean): (chunk: Buffer) => Message[] {
  let rest = Buffer.alloc(0);
  let isFirst = isClient;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const messages: Message[] = [];
    for (;;) {
      const typed = isFirst ? 0 : 1;
      if (rest.length < typed + 4) return messages;
      const length = typed + rest.readUInt32BE(typed);
      if (rest.length < length) return messages;
      messages.push({
        type: rest.toString("latin1", 0, typed),
        body: rest.subarray(typed + 4, length),
        whole: rest.subarray(0, length),
      });
      rest = rest.subarray(length);
      isFirst = false;
    }
  };
}

/** The text of a query, or of one with values. */
function statementOf(type: string, body: Buffer): string | undefined {
  const texts = body.toString().split("\0");
  if (type === "Q") return texts[0];
  return type === "P" ? texts[1] : undefined;
}
