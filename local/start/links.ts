/** What a person opens in a browser after `npm start`: loopback addresses that work until `npm run stop`. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { names, type Cluster } from "@bluegreen/release";
import { layout } from "../cluster/layout";
import { readPorts } from "../cluster/supervisor";
import { dashboardUrl } from "./dashboard";

export interface Links {
  /** The app through its active Service; null before the first release. */
  app: string | null;
  /** The dashboard with its token; null when it does not run. */
  dashboard: string | null;
}

/** Leads the app's loopback port to the active Service. Connections that are open stay where they are. */
export async function openApp({ core, namespace }: Cluster, app: string): Promise<void> {
  const { appAddress } = layout();
  const { spec } = await core.readNamespacedService({ name: names.activeService(app), namespace });
  const port = spec?.ports?.[0]?.port;
  if (spec?.clusterIP === undefined || port === undefined)
    throw new Error(`Service ${namespace}/${names.activeService(app)} has no cluster IP or no port.`);
  await writeFile(`${appAddress}.new`, `${spec.clusterIP}:${port}`);
  await rename(`${appAddress}.new`, appAddress);
}

/** The links of the dev cluster that work now. */
export async function readLinks(): Promise<Links> {
  const paths = layout();
  const isOpen = await readFile(paths.appAddress).then(
    () => true,
    () => false,
  );
  return {
    app: isOpen ? `http://127.0.0.1:${(await readPorts(paths)).app}/` : null,
    dashboard: (await dashboardUrl(paths)) ?? null,
  };
}
