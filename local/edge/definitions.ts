import { join, relative } from "node:path";
import { copyInto, moduleFolder } from "../programs/overlay";
import { filesOf } from "../system/files";

/** Folder of a built edge with the definitions of the resources that it understands. */
export function definitionsFolder(program: string): string {
  return join(program, "definitions");
}

/**
 * Keeps the definitions that come with the edge's modules beside the program.
 * @param module the folder with go.mod
 * @param program where the program will be
 */
export async function keepDefinitions(module: string, program: string): Promise<void> {
  const definitions = definitionsFolder(program);
  const gatewayApi = join(await moduleFolder(module, "sigs.k8s.io/gateway-api"), "config", "crd", "standard");
  for (const file of await filesOf(gatewayApi))
    await copyInto(file, join(definitions, relative(gatewayApi, file)));
  const reference = join(
    await moduleFolder(module, "github.com/traefik/traefik/v3"),
    "docs",
    "content",
    "reference",
    "dynamic-configuration",
  );
  await copyInto(join(reference, "kubernetes-crd-definition-v1.yml"), join(definitions, "traefik.yaml"));
}
