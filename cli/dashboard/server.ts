import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { colors, messageOf, UserError } from "@bluegreen/release";
import { parseJson } from "@bluegreen/release/util/json";
import type { DashboardEvent } from "../../pages/dashboard/state";
import { tokenCookie, whyRefused, type Access } from "./access";
import { readAssets, type Asset } from "./assets";
import type { Board } from "./board";
import type { Order } from "./jobs";

export interface DashboardServer {
  /** With the token. */
  url: string;
  close(): void;
}

export interface Orders {
  /** @returns why it does not begin; undefined: it has */
  start: (order: Order) => string | undefined;
  plan: () => string | undefined;
}

/** Nothing but what comes from here, no script in a text, and in no frame. */
const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const maxBodyBytes = 4096;
/** A browser that does not read gets all of it again, once it asks again. */
const maxUnreadBytes = 8 * 1024 * 1024;

const orderSchema = z.object({ to: z.enum(colors), why: z.string().max(200).default("") });

/**
 * Serves a board on this machine alone.
 * @param port 0 takes a free one
 * @throws UserError when the port is taken
 */
export async function serveDashboard(board: Board, orders: Orders, port: number): Promise<DashboardServer> {
  const assets = readAssets();
  const random = (bytes: number) => randomBytes(bytes).toString("base64url");
  const access: Access = { host: "", token: random(32), path: `/${random(12)}/` };
  const server = createServer((request, response) => {
    handle({ request, response, board, orders, assets, access }).catch((error: unknown) => {
      console.error(messageOf(error));
      response.destroy();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: unknown) => {
    throw new UserError({
      code: "BG-PORT-NOT-AVAILABLE",
      what: `Port ${port} of 127.0.0.1 was refused`,
      rule: messageOf(error),
      next: "another one: --port 0 takes a free one",
    });
  });
  access.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${access.host}/?token=${access.token}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Handled {
  request: IncomingMessage;
  response: ServerResponse;
  board: Board;
  orders: Orders;
  assets: ReadonlyMap<string, Asset>;
  access: Access;
}

async function handle(handled: Handled): Promise<void> {
  const { request, response, board, assets, access } = handled;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const url = new URL(request.url ?? "/", "http://dashboard");
  const named = url.pathname === "/" ? (url.searchParams.get("token") ?? undefined) : undefined;
  const refused = whyRefused(request, access, named);
  if (refused !== undefined) {
    answer(response, 403, refused);
    return;
  }
  if (named !== undefined) {
    // The token is out of the address before anybody looks over a shoulder.
    response.writeHead(303, { location: access.path, "set-cookie": tokenCookie(access) }).end();
    return;
  }
  const path = url.pathname.startsWith(access.path) ? url.pathname.slice(access.path.length) : undefined;
  const asset = path === undefined ? undefined : assets.get(path);
  if (request.method === "POST" && path !== undefined) await take(path, handled);
  else if (request.method !== "GET") answer(response, 405, "Only GET and POST are known here");
  else if (path === "events") stream(response, board);
  else if (asset !== undefined)
    response.writeHead(200, { "content-type": `${asset.type}; charset=utf-8` }).end(asset.text);
  else answer(response, 404, "There is nothing of that name");
}

async function take(path: string, { request, response, orders }: Handled): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    answer(response, 413, `More than ${maxBodyBytes} bytes were refused`);
    return;
  }
  const isOrder = path === "switch" || path === "rollback";
  if (!isOrder && path !== "plan") {
    answer(response, 404, "There is nothing of that name to do");
    return;
  }
  const order = orderSchema.safeParse(parseJson(body));
  if (isOrder && !order.success) {
    answer(response, 400, `The order was refused: ${z.prettifyError(order.error)}`);
    return;
  }
  const refused = isOrder && order.success ? orders.start({ kind: path, ...order.data }) : orders.plan();
  if (refused === undefined) response.writeHead(202).end();
  else answer(response, 409, refused);
}

/** @returns undefined when there is too much of it */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * All that there is, and then every change. Whoever was away begins again: there is nothing to make up for.
 */
function stream(response: ServerResponse, board: Board): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (event: DashboardEvent) => {
    if (response.writableLength > maxUnreadBytes) response.destroy();
    else response.write(`data: ${JSON.stringify(event)}\n\n`);
  };
  response.write("retry: 1000\n");
  send({ type: "all", state: board.state });
  response.once("close", board.listen(send));
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
