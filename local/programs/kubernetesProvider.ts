import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Does what the provider's own build does before it compiles: the schema gets its version,
 * and both files the names under which the program embeds them.
 * @param module folder of the provider's module
 */
export async function embedSchema(module: string, version: string): Promise<void> {
  const folder = join(module, "cmd", "pulumi-resource-kubernetes");
  const read = async (name: string): Promise<object> =>
    JSON.parse(await readFile(join(folder, `${name}.json`), "utf8")) as object;
  const write = async (name: string, content: object): Promise<void> =>
    writeFile(join(folder, `${name}-embed.json`), JSON.stringify(content));
  await write("schema", { ...(await read("schema")), version });
  await write("terraform-mapping", await read("terraform-mapping"));
}
