import { createServer, type Server as HttpServer } from "node:http";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, otherColor, type Color } from "@bluegreen/release";
import type { ColorDatabase, DatabasePair } from "@bluegreen/release/database/colorDatabase";
import { postgresAdminUrl, startPostgres, type PostgresServer } from "../../local/services/postgres";
import { makeStandby, rewindSettings } from "../../local/services/standby";

/** Two real servers: blue's begins as the primary, green's as its standby. */
export interface ReplicaPair {
  /** With data/ and what else a server has. */
  folder(color: Color): string;
  /** Of the superuser. */
  url(color: Color): string;
  /** The pair as a release sees it while a color is live. */
  live(color: Color): DatabasePair;
  /** Asks this process, which owns the servers, to make one of them a standby of the other; prints how. */
  rebuildCommand: string[];
  stop(color: Color): Promise<void>;
  remove(): Promise<void>;
}

/** Passes on what the owner of the servers says, and fails when its last word is not "done". */
const askOwner = `
  const { PRIMARY_COLOR, STANDBY_COLOR } = process.env;
  require("node:http").get({ socketPath: process.argv[1], path: "/" + STANDBY_COLOR + "/" + PRIMARY_COLOR }, (answer) => {
    let text = "";
    answer.on("data", (part) => { text += part; process.stdout.write(part); });
    answer.on("end", () => { process.exitCode = text.endsWith("done\\n") ? 0 : 1; });
  });
`;

export async function startReplicaPair(): Promise<ReplicaPair> {
  const dir = await mkdtemp(join(tmpdir(), "bg-rep-"));
  // The servers run under an account of their own, which has to get through.
  await chmod(dir, 0o755);
  const folder = (color: Color) => join(dir, color);
  const running = new Map<Color, PostgresServer>();
  const start = async (color: Color) => {
    running.set(color, await startPostgres({ dir: folder(color), settings: rewindSettings }));
  };
  const stop = async (color: Color) => {
    await running.get(color)?.stop();
    running.delete(color);
  };
  const rebuild = async (standby: Color, primary: Color, progress: (text: string) => void) => {
    await stop(standby);
    await makeStandby({ standby: folder(standby), primary: folder(primary), slot: standby, progress });
    await start(standby);
  };
  const socket = join(dir, "rebuild");
  const owner = await listen(socket, rebuild);

  await start("blue");
  await rebuild("green", "blue", () => undefined);
  const database = (color: Color): ColorDatabase => ({ color, adminUrl: postgresAdminUrl(folder(color)), peerUrl: postgresAdminUrl(folder(color)) });
  return {
    folder,
    url: (color) => database(color).adminUrl,
    live: (color) => ({ live: database(color), idle: database(otherColor(color)) }),
    rebuildCommand: [process.execPath, "-e", askOwner, socket],
    stop,
    remove: async () => {
      owner.close();
      await Promise.all([...running.values()].map((server) => server.stop()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function listen(socket: string, rebuild: (standby: Color, primary: Color, progress: (text: string) => void) => Promise<void>): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const [standby, primary] = request.url === "/green/blue" ? (["green", "blue"] as const) : (["blue", "green"] as const);
    const say = (text: string) => response.write(`${text}\n`);
    rebuild(standby, primary, say).then(
      () => response.end("done\n"),
      (error: unknown) => response.end(`${messageOf(error)}\n`),
    );
  });
  server.listen(socket);
  await once(server, "listening");
  return server;
}

