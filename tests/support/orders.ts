import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { names } from "@bluegreen/release";
import { repositoryDir } from "../../local/paths";
import { loadBundles } from "../../local/stage";
import { makeStack, type TestStack } from "../../local/testing/testStack";
import { query } from "../../local/testing/database";
import { installImage } from "./exampleImage";

const workDir = join(repositoryDir, "examples", "orders");
const imageRepository = "bluegreen.local/orders";

/** Where its users place orders. */
export const placing = { service: names.activeService("orders"), path: "/orders" };

/** What the second version changes of the first one's image. */
export const next = join(workDir, "next");

/** examples/orders as a stack of its own, released once. */
export interface OrdersStack extends TestStack {
  /** One statement in its database. */
  sql(text: string): Promise<Record<string, unknown>[]>;
}

/**
 * Makes its first release: v1, on blue.
 * @param versions by their tags: folders that are laid over the image of v1
 * @param settings beside those of every test
 */
export async function makeOrders(
  versions: Record<string, string>,
  settings: Record<string, unknown> = {},
): Promise<OrdersStack> {
  await loadVersions({ v1: undefined, ...versions });
  const test = await makeStack([], { workDir });
  // It has no secrets of its own, and the program names no host.
  await test.stack.removeConfig(["secretEnv", "env", "host"]);
  await test.set({ imageRepository, activeColor: "blue", blueTag: "v1", ...settings });
  await test.stack.up();
  const { data = {} } = await test.cluster.core.readNamespacedSecret({
    name: "orders-database",
    namespace: test.cluster.namespace,
  });
  const url = Buffer.from(data["direct-url"] ?? "", "base64").toString();
  return Object.assign(test, { sql: (text: string) => query(url, text) });
}

async function loadVersions(versions: Record<string, string | undefined>): Promise<void> {
  const image = join(workDir, "image");
  const installed = await installImage("orders");
  const folder = await mkdtemp(join(tmpdir(), "bg-orders-"));
  try {
    const servers = Object.entries(versions).map(async ([tag, over]) => {
      const bundle = join(folder, tag);
      // Of what is installed nothing else: an older state of the image may have left files there.
      await cp(join(installed, "node_modules"), join(bundle, "node_modules"), {
        recursive: true,
        verbatimSymlinks: true,
      });
      for (const each of over === undefined ? [image] : [image, over])
        await cp(each, bundle, { recursive: true });
      return { reference: `${imageRepository}:${tag}`, bundle, command: ["/app/server.js"] };
    });
    await loadBundles(await Promise.all(servers));
  } finally {
    await rm(folder, { recursive: true });
  }
}
