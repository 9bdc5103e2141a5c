// What starts often, as one file each: hundreds are read otherwise, and TypeScript is compiled, each time.
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const repository = dirname(fileURLToPath(import.meta.url));
const at = (path) => join(repository, path);

const shared = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node22",
  logLevel: "warning",
  // What runs beside its own files: WebAssembly, compilers, Pulumi's SDK, which is the program's own.
  external: ["@pulumi/*", "esbuild", "libpg-query", "pg-native", "ts-node", "typescript"],
};

/** A file that looks for others beside itself still finds them. All that is made here lies two folders deep. */
const folders = {
  name: "folders",
  setup({ onLoad }) {
    onLoad({ filter: /\/(cli|local|pages)\/.*\.tsx?$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const folder = `require("node:path").join(__dirname, "..", "..", ${JSON.stringify(relative(repository, dirname(path)))})`;
      return { contents: text.replaceAll("__dirname", folder), loader: path.endsWith("x") ? "tsx" : "ts" };
    });
  },
};

// In the place of what the compiler wrote there.
const steps = { ...shared, entryPoints: ["kubernetes/client", "provider"].map((name) => at(`release/src/${name}.ts`)), outbase: at("release/src"), outdir: at("release/dist"), allowOverwrite: true };
const commands = {
  ...shared,
  entryPoints: ["cli/main", "local/bluegreen", "local/pulumi", "local/start"].map((name) => at(`${name}.ts`)),
  outbase: repository,
  outdir: at("dist"),
  alias: { "@bluegreen/release": at("release/src") },
  jsx: "automatic",
  jsxImportSource: "preact",
  plugins: [folders],
};
await Promise.all([build(steps), build(commands)]);
