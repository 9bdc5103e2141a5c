import { Command, InvalidArgumentError } from "commander";
import { UserError } from "@bluegreen/release";

export interface StartOptions {
  /** Requests per second of the load. */
  rate: number;
  /** Pods of each color. */
  replicas: number;
  /** Figures as JSON on standard output, everything else on standard error. */
  json: boolean;
  /** Where it goes instead of to the local stage. */
  foreign: ForeignOptions | undefined;
}

/** What the local stage would have made, as the user has it. */
export interface ForeignOptions {
  context: string;
  namespace: string;
  imageRepository: string;
  oldTag: string;
  newTag: string;
  databaseAdminUrl: string;
  databaseAddress: string;
  redisUrl: string;
  /** Nobody is asked. */
  yes: boolean;
}

interface Flags {
  rate: number;
  replicas: number;
  json: boolean;
  yes: boolean;
  context?: string;
  namespace?: string;
  imageRepository?: string;
  oldTag?: string;
  newTag?: string;
  databaseAddress?: string;
  redisUrl?: string;
}

/** Read from the environment: an argument would be readable for every user of the machine. */
export const databaseVariable = "DATABASE_ADMIN_URL";

/**
 * The command line, checked.
 * @throws UserError naming everything that is missing or too much
 */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): StartOptions {
  const flags = new Command("npm start --")
    .description(
      "Releases a new version of the reference app beside the old one, switches traffic to it and back, and counts what clients notice. Without --context all of it runs on this machine, in namespaces of its own.",
    )
    .option("--rate <number>", "requests per second of the load, 1 to 1000", wholeNumber(1, 1000), 100)
    .option("--replicas <number>", "pods of each color, 1 to 20", wholeNumber(1, 20), 2)
    .option("--json", "print the figures as JSON on standard output, and all else on standard error", false)
    .option(
      "--context <name>",
      "use this context of your kubeconfig and nothing of the local stage; it asks first",
    )
    .option("--yes", "do not ask", false)
    .option(
      "--namespace <name>",
      "with --context: the namespace that it makes and fills (default: chatgpt-trial)",
    )
    .option("--image-repository <name>", "with --context: image repository of the app, without a tag")
    .option("--old-tag <tag>", "with --context: the live version")
    .option("--new-tag <tag>", "with --context: the version to release")
    .option("--database-address <host:port>", "with --context: PostgreSQL as pods reach it")
    .option("--redis-url <url>", "with --context: Redis as pods reach it")
    .addHelpText(
      "after",
      `\nWith --context the environment variable ${databaseVariable} holds the URL of a PostgreSQL role that may create roles and databases.`,
    )
    .allowExcessArguments(false)
    .parse(args, { from: "user" })
    .opts<Flags>();
  const { rate, replicas, json } = flags;
  return { rate, replicas, json, foreign: readForeign(flags, env) };
}

function readForeign(
  { context, namespace, imageRepository, oldTag, newTag, databaseAddress, redisUrl, yes }: Flags,
  env: NodeJS.ProcessEnv,
): ForeignOptions | undefined {
  const named = {
    "--image-repository": imageRepository,
    "--old-tag": oldTag,
    "--new-tag": newTag,
    "--database-address": databaseAddress,
    "--redis-url": redisUrl,
  };
  if (context === undefined) {
    const given = Object.entries({ ...named, "--namespace": namespace }).filter(
      ([, value]) => value !== undefined,
    );
    if (given.length === 0) return undefined;
    throw new UserError({
      code: "BG-OPTION-INVALID",
      what: `${given.map(([flag, value]) => `${flag} ${String(value)}`).join(", ")}: refused`,
      rule: "the local stage makes these itself; they go with --context",
      next: "npm start, or npm start -- --context NAME with them",
    });
  }
  const databaseAdminUrl = env[databaseVariable] === "" ? undefined : env[databaseVariable];
  if (
    imageRepository === undefined ||
    oldTag === undefined ||
    newTag === undefined ||
    databaseAddress === undefined ||
    redisUrl === undefined ||
    databaseAdminUrl === undefined
  ) {
    const missing = Object.entries({ ...named, [databaseVariable]: databaseAdminUrl }).filter(
      ([, value]) => value === undefined,
    );
    throw new UserError({
      code: "BG-OPTION-INVALID",
      what: `--context ${context} was refused without ${missing.map(([name]) => name).join(", ")}`,
      rule: "with a cluster of yours, nothing of the local stage is used: images, PostgreSQL and Redis have to be there",
      next: `${databaseVariable}=… npm start -- --context ${context} --image-repository REPOSITORY --old-tag TAG --new-tag TAG --database-address HOST:PORT --redis-url redis://HOST:PORT`,
    });
  }
  return {
    context,
    namespace: namespace ?? "chatgpt-trial",
    imageRepository,
    oldTag,
    newTag,
    databaseAdminUrl,
    databaseAddress,
    redisUrl,
    yes,
  };
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${String(min)} to ${String(max)}.`);
    return value;
  };
}
