export type Level = "info" | "warn" | "error";
export type Log = (level: Level, message: string, fields?: Record<string, unknown>) => void;

/** One line of JSON per event on stdout; none of `secrets` is ever in one, whatever an error carries. */
export function createLog(context: Record<string, string>, secrets: readonly string[]): Log {
  const redact = (_key: string, value: unknown): unknown =>
    typeof value === "string"
      ? secrets.reduce((text, secret) => text.replaceAll(secret, "[redacted]"), value)
      : value;

  return (level, message, fields = {}) => {
    const head = JSON.stringify({ time: new Date().toISOString(), level });
    const rest = JSON.stringify({ message, ...context, ...fields }, redact);
    process.stdout.write(`${head.slice(0, -1)},${rest.slice(1)}\n`);
  };
}

/** The parts of an error that help; its other properties may carry commands or connection options. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    ...("code" in error ? { code: error.code } : {}),
    stack,
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}
