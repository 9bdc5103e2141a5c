import { writeFile } from "node:fs/promises";
import { KubeConfig } from "@bluegreen/release/kubernetes/client";
import { startProxy, type BreakableProxy } from "./breakableProxy";

/** Writes a kubeconfig that reaches the same cluster at another address, by a way that a test can cut. */
export async function writeOtherWay(kubeconfig: string, file: string): Promise<BreakableProxy> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const { hostname: host, port } = new URL(config.getCurrentCluster()?.server ?? "");
  const proxy = await startProxy({ host, port: Number(port) });
  await writeFile(file, config.exportConfig().replaceAll(`${host}:${port}`, `127.0.0.1:${proxy.port}`), {
    mode: 0o600,
  });
  return proxy;
}
