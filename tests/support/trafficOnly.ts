import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { colors, names, type Color } from "@bluegreen/release";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import type { Followers } from "@bluegreen/release/config/background";
import { rollBackRelease } from "@bluegreen/release/rollback/rollBackRelease";
import { activeServiceOf } from "@bluegreen/release/state/blockedImages";
import { writeRelease } from "@bluegreen/release/state/record";
import { loadBundles } from "../../local/stage";
import type { TestNamespace } from "./testNamespace";

const app = "chatgpt-app";
export const blue = { color: "blue", image: "repo/app:v1", template: "a" } as const;
export const green = { color: "green", image: "repo/app:v2", template: "b" } as const;
type Version = typeof blue | typeof green;

/** Of an app nothing but where traffic is: for steps that follow it. */
export interface TrafficOnly {
  /** It runs the test's program. */
  image: string;
  /** Moves traffic. */
  point(color: Color): Promise<unknown>;
  /** Notes that the gates have let a move through. */
  note(kind: "switch" | "rollback", to: Version, from: Version): Promise<void>;
  /** Rolls back traffic from green. @returns whether it was there, and what was said */
  rollBack(followers: Followers): Promise<{ isBack: boolean; said: string }>;
}

/** @param name of the image, and no other test's */
export async function makeTrafficOnly(
  { where, cluster, namespace }: TestNamespace,
  name: string,
  program: string,
): Promise<TrafficOnly> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const bundle = join(folder, "server.js");
  await writeFile(bundle, program);
  const [image = ""] = await loadBundles([{ reference: `bluegreen.local/${name}:v1`, bundle }]);
  await rm(folder, { recursive: true });
  await cluster.core.createNamespacedService({
    namespace,
    body: {
      metadata: { name: names.activeService(app) },
      spec: { selector: { app, version: "blue" }, ports: [{ port: 80 }] },
    },
  });
  for (const color of colors)
    // Ready, as far as anybody checks who moves traffic there.
    await cluster.discovery.createNamespacedEndpointSlice({
      namespace,
      body: {
        metadata: {
          name: `${app}-${color}-ready`,
          labels: { "kubernetes.io/service-name": names.colorService(app, color) },
        },
        addressType: "IPv4",
        ports: [{ name: "http", port: 3000, protocol: "TCP" }],
        endpoints: [{ addresses: ["10.255.255.1"], targetRef: { kind: "Pod", name: color, namespace } }],
      },
    });
  const byTest = { who: "a test", why: "a test" };
  return {
    image,
    point: (color) =>
      activeServiceOf(cluster, app).send([{ op: "replace", path: "/spec/selector/version", value: color }]),
    note: (kind, to, from) =>
      writeRelease(cluster, app, {
        id: `${kind}-${to.color}`,
        kind,
        weight: 100,
        to,
        from,
        ...byTest,
        at: new Date().toISOString(),
        state: "approved",
        baseline: noBaseline,
        contracts: { waiting: [] },
      }),
    rollBack: async (followers) => {
      const said: string[] = [];
      const isBack = await rollBackRelease(
        {
          where,
          undone: { to: green, from: blue, weight: 100 },
          settings: { route: null, database: null, connectionDrainSeconds: 0, followers },
          reason: "a test",
          evidence: [],
          by: "a test",
        },
        (line) => said.push(line),
      );
      return { isBack, said: said.join("\n") };
    },
  };
}
