// What starts often, as one file each: hundreds are read otherwise, and TypeScript is compiled, each time.
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const repository = dirname(fileURLToPath(import.meta.url));
const at = (path) => join(repository, path);

const shared = {
  // Whoever types a command does so in any folder.
  absWorkingDir: repository,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node22",
  logLevel: "warning",
  // Half of ten megabytes to read; and one letter of a comment that is not ASCII doubles them in memory.
  minifyWhitespace: true,
  legalComments: "linked",
  // What runs beside its own files: WebAssembly, compilers, Pulumi's SDK, which is the program's own.
  external: ["@pulumi/*", "esbuild", "libpg-query", "pg-native", "typescript"],
};

/**
 * A file that looks for others beside itself still finds them. All that is made here lies two folders deep.
 */
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
const steps = {
  ...shared,
  entryPoints: ["kubernetes/client", "steps/provider"].map((name) => at(`release/src/${name}.ts`)),
  outbase: at("release/src"),
  outdir: at("release/dist"),
};

/** What the SDK loads for programs: a process that runs steps serializes no function and runs no Pulumi. */
const noProgram = {
  name: "no program",
  setup({ onLoad }) {
    const unused = [
      "@pulumi/pulumi/automation/index",
      "@pulumi/pulumi/typescript-shim",
      "normalize-package-data/lib/normalize",
      "source-map-support/register",
    ];
    const filter = new RegExp(`/node_modules/(?:${unused.join("|")})\\.js$`);
    onLoad({ filter }, () => ({ contents: "" }));
  },
};

/** The process of all steps: the SDK's own program for it, which is three hundred files; not the steps. */
const dynamicProvider = {
  ...shared,
  external: ["@bluegreen/release/provider", "esbuild", "ts-node", "typescript"],
  entryPoints: [at("components/dynamicProvider.ts")],
  // What is imported this way is not found in Node.js's compile cache.
  supported: { "dynamic-import": false },
  outdir: at("components/dist"),
  plugins: [noProgram],
};
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

/** What a browser loads of the dashboard. */
const page = {
  bundle: true,
  platform: "browser",
  target: "es2023",
  format: "esm",
  minify: true,
  logLevel: "warning",
  entryPoints: [at("pages/dashboard/main.tsx")],
  outdir: at("dist/pages"),
  jsx: "automatic",
  jsxImportSource: "preact",
};
/** Each file at once: an update or a test that starts meanwhile never reads half of one. */
async function build(options) {
  const { outputFiles } = await esbuild.build({ ...options, write: false });
  for (const { path, contents } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, contents);
    await rename(`${path}.new`, path);
  }
}

const copy = (from, name) => copyFile(at(`pages/${from}`), at(`dist/pages/${name}`));

await mkdir(page.outdir, { recursive: true });
// The commands last: what is newer than they are is rebuilt.
await Promise.all([
  build(steps),
  build(dynamicProvider),
  build(page),
  copy("dashboard/index.html", "index.html"),
  copy("style.css", "style.css"),
]);
await build(commands);
