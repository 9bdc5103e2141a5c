/**
 * Sends a bounded number of requests to one address and prints what came back, some lines of JSON
 * a second. It runs alone in a container of the app's image, so this folder becomes one file that
 * needs nothing but Node.js; everything beside it only starts it and reads its lines.
 *
 * Requests go out by the clock, whether or not earlier ones are answered, and the latency of each
 * counts from the moment it was due: a server that stalls cannot hide that by slowing its client.
 */
import { createServer } from "node:http";
import { now } from "./clock";
import { openClients } from "./clients";
import { askWithin, describe, type Answer, type Question } from "./exchange";
import { collectAnswers, collectSeconds, type Line } from "./lines";
import { readOptions, type GeneratorOptions, type RequestClient } from "./options";
import { openStream } from "./stream";
import { wayTo } from "./way";

const flushMs = { answers: 250, seconds: 1000 };
const tickMs = 1;
/** A Service made a moment ago refuses connections until the nodes know it; this long is more than that. */
const newServiceMs = 15_000;
const userId = "load-user";

const options = checkedOptions();
const way = wayTo(options);
const clients = openClients(way, options.connections);
const seen = options.output === "seconds" ? collectSeconds() : collectAnswers();
let stopping = false;
let reconnects = 0;
let seq = 0;

void main();

async function main(): Promise<void> {
  const control = createServer((incoming, response) => {
    if (incoming.method === "POST" && incoming.url === "/stop") stopping = true;
    response.writeHead(stopping ? 202 : 404).end();
  }).listen(options.controlPort);
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => (stopping = true));
  await seed();
  const flusher = setInterval(flush, flushMs[options.output]);
  const closeStream = openStream(way, seen, () => (reconnects += 1));
  print({ type: "ready", from: now() });
  const sent = await sendAll();
  closeStream();
  clearInterval(flusher);
  flush();
  print({ type: "end", seq, from: now(), sent });
  control.close();
  control.closeAllConnections();
  for (const client of Object.values(clients)) client.close();
}

function checkedOptions(): GeneratorOptions {
  try {
    return readOptions(process.env["LOAD"] ?? "{}");
  } catch (error) {
    console.error(describe(error));
    process.exit(2);
  }
}

/**
 * Makes the user that the requests ask for; that it is there already is as good. Nothing is measured
 * yet, so a refused connection is asked again: the first request of the load has to meet a Service
 * that every node knows, and each one after it counts.
 */
async function seed(): Promise<void> {
  const { status, body } = await firstAnswer(performance.now() + newServiceMs);
  if (status === 201 || status === 409) return;
  console.error(
    `The user of the load could not be made: POST ${options.target}/api/users answered ${String(status)}: ${body}`,
  );
  process.exit(1);
}

async function firstAnswer(deadline: number): Promise<Answer> {
  for (;;) {
    try {
      return await ask(
        "short",
        {
          method: "POST",
          path: "/api/users",
          content: { id: userId, email: "load@example.com", name: "Load" },
        },
        options.timeoutMs,
      );
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/**
 * Sends by the clock until the time is over or someone says stop, and returns how many after the last answer.
 */
async function sendAll(): Promise<number> {
  const total = options.rate * options.seconds;
  const started = performance.now();
  let sent = 0;
  let open = 0;
  return new Promise((resolve) => {
    const ticker = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - started) * options.rate) / 1000) + 1);
      for (; sent < due && !stopping; sent += 1) {
        open += 1;
        void send(sent, started + (sent * 1000) / options.rate).finally(() => (open -= 1));
      }
      if ((stopping || sent === total) && open === 0) {
        clearInterval(ticker);
        resolve(sent);
      }
    }, tickMs);
  });
}

/** The kinds of clients take turns, and each of them asks for both things. */
async function send(index: number, dueAt: number): Promise<void> {
  const turn = Math.floor(index / options.clients.length);
  const client = options.clients[index % options.clients.length] ?? "short";
  const isToolCall = turn % options.toolCallEvery === options.toolCallEvery - 1;
  const question: Question = isToolCall
    ? {
        method: "POST",
        path: "/mcp",
        content: {
          jsonrpc: "2.0",
          id: index,
          method: "tools/call",
          params: { name: "get_user_info", arguments: { userId } },
        },
      }
    : { method: "GET", path: `/api/users/${userId}` };
  let color = "";
  let failure = "";
  try {
    const answer = await ask(client, question, Math.max(1, options.timeoutMs - (performance.now() - dueAt)));
    color = answer.color;
    failure = whatIsWrong(answer);
  } catch (error) {
    failure = describe(error);
  }
  seen.answer({
    dueAt: performance.timeOrigin + dueAt,
    latencyMs: performance.now() - dueAt,
    client,
    color,
    failure,
  });
}

async function ask(client: RequestClient, question: Question, timeoutMs: number): Promise<Answer> {
  return askWithin(timeoutMs, `no answer within ${String(options.timeoutMs)} ms`, clients[client], question);
}

/** A 200 that says something else than the user asked for is a failure too. */
function whatIsWrong({ status, color, body }: Answer): string {
  if (status < 200 || status > 299) return `status ${String(status)}`;
  if (color === "") return "no x-app-color in the answer";
  // Both calls answer with the user; an error of the protocol comes with status 200 as well.
  return body.includes(userId) && !body.includes('"isError":true') ? "" : "an answer without the user";
}

function flush(): void {
  const line = seen.take(seq + 1, reconnects);
  if (line === undefined) return;
  seq += 1;
  print(line);
}

function print(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
