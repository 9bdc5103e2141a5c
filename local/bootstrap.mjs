// Runs a TypeScript file of this repository: node local/bootstrap.mjs FILE [arguments]
//
// Plain JavaScript for any Node.js from version 20 on, because it is what brings
// the rest: a Node.js that is new enough, the npm packages and the built packages.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import * as modules from "node:module";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "bluegreen");

/** The oldest version that the packages used here run on, as in package.json. */
const oldest = [22, 18];
/** What is brought where the machine's is older. */
const brought = "24.21.0";

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  fail("No file given. Use: node local/bootstrap.mjs FILE [arguments]");
}
const node = isRecent() ? process.execPath : bringNode();
// First on PATH: npm's scripts and every child process take the same one.
process.env.PATH = dirname(node) + delimiter + process.env.PATH;
// Most of a short process is compiling what it loads: each one finds what the one before has compiled.
process.env.NODE_COMPILE_CACHE ??= join(cache, "compiled");
usePulumi();
bringPackages();
buildPackages();
runFile();

function isRecent() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

function bringNode() {
  const folder = join(cache, `node-${brought}`);
  const program = join(folder, "node_modules", "node", "bin", "node");
  if (!existsSync(program)) {
    say(
      `Node.js ${process.versions.node} is older than ${oldest.join(".")}: bringing Node.js ${brought} (npm package "node") into ${folder}`,
    );
    // Renamed when complete: a download that was cut off is not taken for the program.
    const partial = `${folder}.${process.pid}`;
    mkdirSync(partial, { recursive: true });
    npm(["install", "--prefix", partial, "--no-save", "--no-package-lock", `node@${brought}`], repository);
    if (!existsSync(program)) renameSync(partial, folder);
    rmSync(partial, { recursive: true, force: true });
  }
  return program;
}

/**
 * The Pulumi that local/pulumi has built, unless another one is on PATH. It is on it after the first npm
 * start.
 */
function usePulumi() {
  const home = join(cache, "pulumi");
  const isThere = (folder) => folder !== "" && existsSync(join(folder, "pulumi"));
  if (process.env.PATH.split(delimiter).some(isThere) || !isThere(join(home, "bin"))) return;
  process.env.PATH = join(home, "bin") + delimiter + process.env.PATH;
  process.env.PULUMI_HOME = home;
  process.env.PULUMI_SKIP_UPDATE_CHECK = "true";
}

function bringPackages() {
  const installed = modified(join(repository, "node_modules", ".package-lock.json"));
  if (installed >= modified(join(repository, "package-lock.json"))) return;
  say("Installing npm packages (npm ci)");
  npm(["ci"], repository);
}

/** What the program and the command line load of this repository. An update compiles nothing. */
function buildPackages() {
  const packages = ["release", "components"].map((name) => join(repository, name));
  const bundler = join(repository, "bundle.mjs");
  // The last to be written.
  const built = modified(join(repository, "dist", "local", "pulumi.js"));
  // Asking the compiler takes longer than looking at the files.
  const folders = [...packages, ...["cli", "local", "pages"].map((name) => join(repository, name))];
  if ([bundler, ...folders.flatMap(sources)].every((source) => modified(source) <= built)) return;
  say("Building what updates and commands load (tsc --build, esbuild)");
  check(
    spawnSync(node, [join(repository, "node_modules", "typescript", "bin", "tsc"), "--build", ...packages], {
      stdio: ["ignore", 2, 2],
    }),
    "tsc --build release components",
  );
  check(spawnSync(node, [bundler], { stdio: ["ignore", 2, 2] }), "node bundle.mjs");
}

/** Of a package: all but what was made or brought there. */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== "dist" && name !== "node_modules" && !name.endsWith(".tsbuildinfo"))
    .flatMap((entry) =>
      entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)],
    );
}

function runFile() {
  const built = join(repository, "dist", file.replace(/\.ts$/, ".js"));
  const isBuilt = existsSync(built);
  const compiler = join(repository, "local", "typescript.cjs");
  const script = isBuilt ? built : join(repository, file);
  if (node === process.execPath) runHere(script, isBuilt ? [] : [compiler]);
  else runInChild([...(isBuilt ? [] : ["-r", compiler]), script]);
}

/** One process less to wait for. */
function runHere(script, before) {
  modules.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  // As if Node.js had been started with the file.
  process.argv = [process.execPath, script, ...rest];
  const load = modules.createRequire(import.meta.url);
  for (const each of [...before, script]) load(each);
}

function runInChild(script) {
  const child = spawn(node, [...script, ...rest], {
    stdio: "inherit",
  });
  // A terminal sends Ctrl-C to the child as well; a supervisor's signal comes only here.
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`${node} could not be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    for (const handled of signals) process.removeAllListeners(handled);
    process.kill(process.pid, signal);
  });
}

function npm(args, cwd) {
  check(spawnSync("npm", args, { cwd, stdio: ["ignore", 2, 2] }), `npm ${args.join(" ")}`);
}

function check(result, command) {
  if (result.error !== undefined)
    fail(`\`${command}\` could not be started: ${result.error.message}. Install Node.js with npm.`);
  if (result.status !== 0)
    fail(`\`${command}\` failed. Its output is above; repeat the command when its cause is gone.`);
}

/** When a file was changed last; 0 when there is none. */
function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function say(text) {
  console.error(text);
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
