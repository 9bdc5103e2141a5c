import { copyFile, cp, mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { run } from "../system/run";

/** Folder of a built edge with the definitions of the resources that it understands. */
export function definitionsFolder(program: string): string {
  return join(program, "definitions");
}

const lego = "github.com/go-acme/lego/v5";

/** What of lego nobody needs here: its own command, and the vendors of DNS. */
const leftOut = ["cmd", "e2e", "main.go", "providers"];

/**
 * Makes the edge's module anew with a lego of its own, which links no DNS vendor,
 * and keeps the definitions that come with the modules beside the program.
 * @param module the folder with go.mod
 * @param output where the program will be
 * @param folder for the new module
 */
export async function prepareEdge(module: string, output: string, folder: string): Promise<void> {
  const whole = await moduleFolder(module, lego);
  await cp(module, folder, { recursive: true });
  const own = join(folder, "lego");
  await cp(whole, own, { recursive: true, filter: (source) => !leftOut.includes(relative(whole, source)) });
  await mkdir(join(own, "providers", "dns"), { recursive: true });
  await copyFile(join(module, "dns", "dns.go"), join(own, "providers", "dns", "dns.go"));
  await run("go", ["mod", "edit", `-replace=${lego}=./lego`], { cwd: folder });

  const definitions = definitionsFolder(output);
  await cp(join(await moduleFolder(module, "sigs.k8s.io/gateway-api"), "config", "crd", "standard"), definitions, { recursive: true });
  const reference = join(await moduleFolder(module, "github.com/traefik/traefik/v3"), "docs", "content", "reference", "dynamic-configuration");
  await copyFile(join(reference, "kubernetes-crd-definition-v1.yml"), join(definitions, "traefik.yaml"));
}

/** Where the module cache has a module, in the version of go.mod. */
async function moduleFolder(module: string, path: string): Promise<string> {
  await run("go", ["mod", "download", path], { cwd: module });
  return (await run("go", ["list", "-m", "-f", "{{.Dir}}", path], { cwd: module })).trim();
}
