import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { contextName } from "./layout";

/** Writes a kubeconfig for a client certificate, in JSON (which is YAML). */
export async function writeKubeconfig(options: {
  file: string;
  pki: string;
  client: string;
  port: number;
}): Promise<void> {
  const { file, pki, client, port } = options;
  const encoded = async (name: string): Promise<string> =>
    (await readFile(join(pki, name))).toString("base64");
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": contextName,
    clusters: [
      {
        name: contextName,
        cluster: {
          server: `https://127.0.0.1:${String(port)}`,
          "certificate-authority-data": await encoded("ca.crt"),
        },
      },
    ],
    users: [
      {
        name: client,
        user: {
          "client-certificate-data": await encoded(`${client}.crt`),
          "client-key-data": await encoded(`${client}.key`),
        },
      },
    ],
    contexts: [{ name: contextName, context: { cluster: contextName, user: client } }],
  };
  await writeFile(`${file}.new`, JSON.stringify(kubeconfig, undefined, 2), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
