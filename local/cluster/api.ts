import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { adminClient } from "./certificates";
import type { Layout } from "./layout";

/** Answer of the API server: the parsed body, or the reason why there is none. */
export type ApiAnswer = { ok: true; body: unknown } | { ok: false; reason: string };

/**
 * A GET at the stage's API server, as its administrator. Only for the stage itself, which needs no client
 * library for two questions.
 */
export async function askApi(paths: Layout, port: number, path: string): Promise<ApiAnswer> {
  const pem = async (file: string): Promise<string> => readFile(join(paths.pki, file), "utf8");
  const [ca, cert, key] = await Promise.all([
    pem("ca.crt"),
    pem(`${adminClient}.crt`),
    pem(`${adminClient}.key`),
  ]);
  return new Promise((resolve) => {
    const asked = request(
      { host: "127.0.0.1", port, path, ca, cert, key, agent: false, timeout: 3000 },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("error", (error) => {
          resolve({ ok: false, reason: error.message });
        });
        response.on("end", () => {
          if (response.statusCode === 200)
            resolve({
              ok: true,
              body: response.headers["content-type"]?.includes("json") === true ? JSON.parse(text) : text,
            });
          else
            resolve({
              ok: false,
              reason: `GET ${path} answers ${String(response.statusCode)}: ${text.slice(0, 300)}`,
            });
        });
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`GET ${path} does not answer`)));
    asked.on("error", (error) => {
      resolve({ ok: false, reason: error.message });
    });
    asked.end();
  });
}
