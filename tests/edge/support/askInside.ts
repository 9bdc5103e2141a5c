import { insideNetwork } from "../../../local/stage";
import { run } from "../../../local/system/run";

const script = `
  const [address, host, path] = process.argv.slice(1);
  require("node:http").get({ host: address, path, headers: { host } }, (answer) => {
    console.log(JSON.stringify({ status: answer.statusCode, location: answer.headers.location }));
    answer.destroy();
  });
`;

/** What the edge's port for HTTP answers, which nothing outside the stage's network reaches. */
export async function askInside(address: string, host: string, path: string): Promise<unknown> {
  const [command = "", ...args] = await insideNetwork([process.execPath, "-e", script, address, host, path]);
  return JSON.parse(await run(command, args));
}
