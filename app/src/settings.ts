import { z } from "zod";

const seconds = (max: number, fallback: number) =>
  z.coerce.number({ error: "must be a number" }).min(0).max(max).default(fallback);

const port = (fallback: number) =>
  z.coerce.number({ error: "must be a number" }).int().min(0).max(65535).default(fallback);

const url = (...protocols: string[]) =>
  z.string({ error: "is not set" }).refine((value) => protocols.includes(URL.parse(value)?.protocol ?? ""), {
    error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  });

const schema = z
  .object({
    /** 0 lets the system choose a free port. */
    PORT: port(3000),
    /**
     * Where a release asks this process to drain, from inside its pod alone. A contract: docs/guides/connection-draining.md.
     */
    BLUEGREEN_DRAIN_PORT: port(3001),
    ENVIRONMENT: z.enum(["blue", "green"], { error: "must be blue or green" }),
    APP_VERSION: z.string({ error: "is not set" }).min(1),
    DATABASE_URL: url("postgres:", "postgresql:"),
    REDIS_URL: url("redis:", "rediss:", "unix:"),
    /** Flag in Redis by which a release asks for no writes. A contract: docs/guides/write-freeze.md. */
    BLUEGREEN_READ_ONLY_KEY: z.string({ error: "is not set" }).min(1),
    OPENAI_API_KEY: z.string({ error: "is not set" }).min(1),
    OPENAI_BASE_URL: url("http:", "https:").default("https://api.openai.com/v1"),
    /** Off by default: an outage of a third party should not take the whole app out of service. */
    READY_CHECKS_OPENAI: z.enum(["true", "false"], { error: "must be true or false" }).default("false"),
    /** How long to keep serving after SIGTERM: endpoints and proxies need a moment to forget this pod. */
    DRAIN_SECONDS: seconds(600, 5),
    /** SIGTERM to forced end; keep it below the pod's terminationGracePeriodSeconds. */
    SHUTDOWN_GRACE_SECONDS: seconds(3600, 25),
    /**
     * The longest a client may stay on one connection or stream. A Service that points elsewhere
     * does not move connections that are open, so this bounds how long the old color still answers.
     */
    CONNECTION_MAX_AGE_SECONDS: seconds(86400, 30),
  })
  .refine((env) => env.DRAIN_SECONDS < env.SHUTDOWN_GRACE_SECONDS, {
    path: ["DRAIN_SECONDS"],
    error: "must be less than SHUTDOWN_GRACE_SECONDS",
  })
  .refine((env) => env.BLUEGREEN_DRAIN_PORT === 0 || env.BLUEGREEN_DRAIN_PORT !== env.PORT, {
    path: ["BLUEGREEN_DRAIN_PORT"],
    error: "must be another port than PORT",
  });

/** The app's environment, checked; names are those of the variables. */
export type Settings = z.output<typeof schema>;

const SECRET_VARIABLES = new Set(["DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY"]);

/** Thrown with every violation at once: the variable, the rule and, unless it is secret, the value. */
class SettingsError extends Error {
  override readonly name = "SettingsError";
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const violations = result.error.issues.map(({ path, message }) => {
    const name = path.join(".");
    const value = env[name];
    return value === undefined || SECRET_VARIABLES.has(name)
      ? `${name} ${message}`
      : `${name} ${message}, not ${value}`;
  });
  throw new SettingsError(
    `The environment of the app is refused: ${violations.join("; ")}. Set these variables and start again.`,
  );
}

/** Every string that must not leave the process: the secret variables and the passwords inside them. */
export function secretsOf(env: NodeJS.ProcessEnv): string[] {
  const urls = [env["DATABASE_URL"] ?? "", env["REDIS_URL"] ?? ""];
  const passwords = urls.flatMap((text) => {
    const encoded = URL.parse(text)?.password ?? "";
    return [encoded, decode(encoded)];
  });
  const secrets = [...urls, ...passwords, env["OPENAI_API_KEY"] ?? ""].filter((secret) => secret !== "");
  // The longest first, so that a URL goes as a whole before the password in it does.
  return secrets.sort((a, b) => b.length - a.length);
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
