export interface Question {
  method: "GET" | "POST";
  path: string;
  /** Sent as JSON. */
  content?: object;
}

export interface Answer {
  status: number;
  /** Value of x-app-color, or "". */
  color: string;
  body: string;
}

/** A kind of client, with the connections it keeps. */
export interface Client {
  /** Asks once. @throws Error where no whole answer comes */
  ask(question: Question, signal: AbortSignal): Promise<Answer>;
  /** Ends its connections. */
  close(): void;
}

/** @throws Error where the answer is not whole in time, or nobody answers */
export async function askWithin(
  timeoutMs: number,
  tooLate: string,
  client: Client,
  question: Question,
): Promise<Answer> {
  const over = new AbortController();
  const timer = setTimeout(() => {
    over.abort();
  }, timeoutMs);
  try {
    return await client.ask(question, over.signal);
  } catch (error) {
    throw over.signal.aborted ? new Error(tooLate) : error;
  } finally {
    clearTimeout(timer);
  }
}

export function colorOf(headers: NodeJS.Dict<string | string[]>): string {
  const color = headers["x-app-color"];
  return typeof color === "string" ? color : "";
}

export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && error.message === "" ? String(error.code) : error.message;
}
