export interface FetchBounds {
  /** Larger answers are not read on. */
  maxBytes: number;
  /** From the request to the last byte. */
  timeoutMs: number;
  /** Ends it earlier. */
  signal?: AbortSignal;
  /** Gets the text as it comes, in parts; the text of the answer is empty then. */
  onText?: (part: string) => void;
}

interface Answer {
  status: number;
  text: string;
}

/**
 * Nothing usable came back. The message names neither the address nor what was sent: either may carry a
 * token.
 */
export class NoAnswerError extends Error {}

type Request = Pick<RequestInit, "method" | "body"> & { headers?: Record<string, string> };

/**
 * Asks an HTTP server that may be slow, endless or wrong: bounded in bytes and in time. Redirects are not
 * followed: the answer is then the redirect itself. User and password of the URL are sent as basic
 * authorization.
 * @throws NoAnswerError whatever goes wrong
 */
export async function fetchText(
  url: string,
  { maxBytes, timeoutMs, signal, onText }: FetchBounds,
  request: Request = {},
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const { address, authorization } = readAddress(url);
    const response = await fetch(address, {
      ...request,
      headers: { ...request.headers, ...authorization },
      redirect: "manual",
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    return { status: response.status, text: await readText(response, maxBytes, onText) };
  } catch (error) {
    if (error instanceof NoAnswerError) throw error;
    // Without a cause: the texts of fetch may quote the address.
    throw new NoAnswerError(
      timeout.aborted
        ? `no answer within ${timeoutMs / 1000} s`
        : signal?.aborted
          ? "there was no time left to ask"
          : connectionFailure(error),
    );
  }
}

function readAddress(url: string): { address: URL; authorization: Record<string, string> } {
  const address = URL.parse(url);
  if (address === null || !["http:", "https:"].includes(address.protocol))
    throw new NoAnswerError("its URL is not an http or https address");
  if (address.username === "" && address.password === "") return { address, authorization: {} };
  // fetch refuses such an address.
  const credentials = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
  address.username = "";
  address.password = "";
  return {
    address,
    authorization: { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` },
  };
}

async function readText(
  { body }: Response,
  maxBytes: number,
  onText: FetchBounds["onText"],
): Promise<string> {
  const chunks: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let bytes = 0;
  const stream: AsyncIterable<Uint8Array> | null = body;
  // Leaving the loop early ends the connection.
  for await (const chunk of stream ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new NoAnswerError(`its answer is larger than ${maxBytes} bytes`);
    if (onText === undefined) chunks.push(chunk);
    else onText(decoder.decode(chunk, { stream: true }));
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A connection's error has a code, such as ECONNREFUSED, in what caused it. */
function connectionFailure(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? `the connection failed (${code})` : "the connection failed";
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether alerts may go there: https, or http on this machine, and nothing in front of the host. */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return (
    (protocol === "https:" || (protocol === "http:" && loopback.test(hostname))) &&
    username === "" &&
    password === ""
  );
}

export const secureUrlRule = "https://HOST/PATH, without a user or password (http only to this machine)";
