import { existsSync } from "node:fs";
import { chown, mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { accountOf, type Account } from "../system/account";
import { startOwned } from "../system/owned";

export const redisPort = 6379;

// The server and the checker are one program that goes by the name it is called.
// Debian's redis-tools has only the checker's name.
const programs = ["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/usr/bin/redis-check-rdb"];

/** Redis' program, whatever its name; undefined when there is none. */
export function redisProgram(): string | undefined {
  return programs.find((file) => existsSync(file));
}

/** Path of a server's Unix socket. */
export function redisSocket(dir: string): string {
  return join(dir, "redis.sock");
}

/** The account a server runs as: any without rights. */
export async function redisAccount(): Promise<Account> {
  return accountOf("nobody");
}

/** Creates the folder of a server for its account. */
export async function prepareRedis(dir: string, account: Account): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chown(dir, account.uid, account.gid);
}

/**
 * A command that becomes the server. It keeps nothing on disk.
 * @param listen address for TCP connections; empty for the socket alone
 */
export function redisCommand(dir: string, listen: string): string[] {
  const program = redisProgram();
  if (program === undefined)
    throw new Error("Redis is not installed. Install it: apt-get install redis-tools");
  const settings = {
    dir,
    unixsocket: redisSocket(dir),
    port: listen === "" ? "0" : String(redisPort),
    ...(listen === "" ? {} : { bind: listen, "protected-mode": "no" }),
    save: "",
    appendonly: "no",
    maxmemory: "128mb",
    "maxmemory-policy": "allkeys-lru",
  };
  return [
    "/bin/bash",
    "-c",
    'exec -a redis-server "$@"',
    "redis",
    program,
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
  ];
}

/** True when the server of this folder answers. */
export async function redisAnswers(dir: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(redisSocket(dir));
    const end = (answer: boolean): void => {
      connection.destroy();
      resolve(answer);
    };
    connection.setTimeout(2000, () => {
      end(false);
    });
    connection.once("connect", () => connection.write("PING\r\n"));
    connection.once("data", (answer) => {
      end(answer.toString() === "+PONG\r\n");
    });
    connection.once("error", () => {
      end(false);
    });
  });
}

/** A Redis server of its own, without the cluster, for tests. */
export interface RedisServer {
  /** Path of its Unix socket: ioredis and redis-cli take it in place of an address. */
  socket: string;
  stop: () => Promise<void>;
}

const startTimeoutMs = 60_000;

/**
 * Starts a server in `dir`, reachable through a Unix socket only.
 * It ends with `stop` or with this process; the folder is the caller's to remove.
 */
export async function startRedis(options: { dir: string }): Promise<RedisServer> {
  const { dir } = options;
  const account = await redisAccount();
  await prepareRedis(dir, account);
  const server = startOwned("Redis", redisCommand(dir, ""), account, join(dir, "log"));
  await server.ready(async () => redisAnswers(dir), startTimeoutMs);
  return { socket: redisSocket(dir), stop: async () => server.stop("SIGTERM") };
}
