import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** Who may ask the dashboard, and how it calls itself. */
export interface Access {
  /** As in the address that is printed, with the port. */
  host: string;
  /** Of this run, and of no other. */
  token: string;
  /**
   * Where everything is. A browser sends a cookie to every server of a host, whatever its port: what else
   * runs on 127.0.0.1 does not know this path, and so never gets it.
   */
  path: string;
}

export interface Asked {
  method?: string | undefined;
  headers: IncomingHttpHeaders;
}

const cookie = "bluegreen";

/**
 * Why a request is refused; undefined: it is not.
 * @param token that it names beside its cookie
 */
export function whyRefused(
  { method, headers }: Asked,
  { host, token }: Access,
  named?: string,
): string | undefined {
  // A page of elsewhere whose name leads to this machine by now (DNS rebinding) asks by its own name.
  if (headers.host !== host)
    return `The host ${JSON.stringify(headers.host ?? "")} was refused: this dashboard is http://${host}`;
  const { origin } = headers;
  const isOwn = origin === `http://${host}`;
  if (origin !== undefined && !isOwn)
    return `The origin ${JSON.stringify(origin)} was refused: only the dashboard's own page may ask`;
  // Browsers name it with every POST.
  if (method !== "GET" && !isOwn)
    return "A request without an origin was refused: only the dashboard's own page may ask";
  if (!isSame(named ?? cookieIn(headers.cookie) ?? "", token))
    return "The token is missing or wrong: open the address that the command has printed";
  return undefined;
}

/** What a browser keeps and sends with whatever it asks of this dashboard, and of nothing else. */
export function tokenCookie({ token, path }: Access): string {
  return `${cookie}=${token}; Path=${path}; HttpOnly; SameSite=Strict`;
}

function cookieIn(header: string | undefined): string | undefined {
  return header
    ?.split(";")
    .map((pair) => pair.trim().split("="))
    .find(([name]) => name === cookie)?.[1];
}

/** In a time that says nothing of where they differ, nor of how long they are. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
