import { once } from "node:events";
import { createServer } from "node:http";
import { messageOf, type Color } from "@bluegreen/release";

/** Makes the server of one color a standby of the other. @param progress gets lines that say how */
export type Rebuild = (standby: Color, primary: Color, progress: (text: string) => void) => Promise<void>;

export interface RebuildOwner {
  /** A rebuild command: asks this process, which owns the servers, and prints what it says. */
  command: string[];
  close(): void;
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

/**
 * Rebuilds servers of this process for whoever runs the command.
 * @param socket path of a Unix socket to be made
 */
export async function ownRebuild(socket: string, rebuild: Rebuild): Promise<RebuildOwner> {
  const server = createServer((request, response) => {
    const [standby, primary] =
      request.url === "/green/blue" ? (["green", "blue"] as const) : (["blue", "green"] as const);
    const say = (text: string) => response.write(`${text}\n`);
    rebuild(standby, primary, say).then(
      () => response.end("done\n"),
      (error: unknown) => response.end(`${messageOf(error)}\n`),
    );
  });
  server.listen(socket);
  await once(server, "listening");
  return { command: [process.execPath, "-e", askOwner, socket], close: () => void server.close() };
}
