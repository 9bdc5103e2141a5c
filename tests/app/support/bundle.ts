import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryDir } from "../../../local/paths";
import { run } from "../../../local/system/run";

export type Release = "v1" | "v2";
export type Fault = "none" | "smoke" | "errors" | "slow" | "crash" | "late-crash" | "leak";

const dir = mkdtempSync(join(tmpdir(), "bg-bundles-"));
process.once("exit", () => {
  rmSync(dir, { recursive: true, force: true });
});

const bundles = new Map<string, Promise<string>>();

/** The built app as one file, built once for each release and fault in a test run. */
export function bundle(release: Release, fault: Fault): Promise<string> {
  const name = `${release}-${fault}`;
  const known = bundles.get(name);
  if (known !== undefined) return known;
  const outfile = join(dir, `${name}.cjs`);
  const built = run(process.execPath, [
    join(repositoryDir, "app", "build.mjs"),
    "--release",
    release,
    "--fault",
    fault,
    "--outfile",
    outfile,
  ]).then(() => outfile);
  bundles.set(name, built);
  return built;
}
