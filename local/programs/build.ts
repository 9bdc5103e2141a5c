import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { cacheDir } from "../paths";
import { filesOf } from "../system/files";
import { withLock } from "../system/lock";
import { CommandError, run } from "../system/run";
import { applyOverlay, copyInto, overlaidFolder, standIns, type Overlay } from "./overlay";

/** What is built of a Go module. */
export interface Program {
  name: string;
  /** Folder of its go.mod, in local/programs. */
  module: string;
  /** Folders of the module that are for this program. */
  sources: string[];
  /** What to build, as `go build` takes it. */
  packages: string[];
  /** Flags of the linker, for example for variables that hold a version. */
  linked?: string[];
  /** Other flags of the build. */
  flags?: string[];
  /** Shown before the first build. */
  duration: string;
  /** What is left out of modules of others. */
  overlays?: Overlay[];
  /**
   * Does what the build needs besides.
   * @param module folder of go.mod, there for this build alone
   * @param output where the program will be
   */
  prepare?: (module: string, output: string) => Promise<void>;
}

/** Builds a program if it is not built yet and returns its folder. */
export async function build(program: Program, progress: (text: string) => void): Promise<string> {
  const folder = join(cacheDir(), "programs", `${program.name}-${await keyOf(program)}`);
  if (existsSync(folder)) return folder;
  return withLock(
    `${folder}.lock`,
    async () => {
      if (existsSync(folder)) return folder;
      progress(`${program.name}: building from Go modules (${program.duration})`);
      const temporary = `${folder}.new`;
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { recursive: true });
      await explained(program, async () => {
        const module = join(temporary, "module");
        await makeModule(program, module);
        await program.prepare?.(module, temporary);
        await compile(program, module, temporary, progress);
        await rm(module, { recursive: true });
      });
      // The folder's name appears in one step: a build that was killed leaves only the temporary one.
      await rename(temporary, folder);
      return folder;
    },
    () => {
      progress(`${program.name}: waiting for another build of it`);
    },
  );
}

/** Changes with all that the program is made of, and with nothing else. */
async function keyOf(program: Program): Promise<string> {
  const key = createHash("sha256").update(
    JSON.stringify([await goVersion(), buildFlags(program), buildEnv, { ...program, duration: undefined }]),
  );
  const own = await Promise.all(
    (program.overlays ?? []).map(async (overlay) =>
      (await standIns(overlay)).map((path) => join(overlaidFolder(__dirname, overlay.module), path)),
    ),
  );
  for (const file of [...(await sourceFiles(program)), ...own.flat()])
    key
      .update(relative(__dirname, file))
      .update("\0")
      .update(await readFile(file))
      .update("\0");
  return key.digest("hex").slice(0, 16);
}

/**
 * A module of this build alone: overlays change it, and other programs of the same module are none of its
 * business.
 */
async function makeModule(program: Program, folder: string): Promise<void> {
  const module = join(__dirname, program.module);
  for (const file of await sourceFiles(program)) await copyInto(file, join(folder, relative(module, file)));
  for (const overlay of program.overlays ?? []) await applyOverlay(overlay, folder);
}

async function sourceFiles(program: Program): Promise<string[]> {
  const module = join(__dirname, program.module);
  // A module without requirements has no go.sum.
  const own = ["go.mod", "go.sum"].map((name) => join(module, name)).filter((path) => existsSync(path));
  const files = await Promise.all(program.sources.map(async (source) => filesOf(join(module, source))));
  return [...new Set([...own, ...files.flat()])].filter((file) => !file.endsWith("_test.go")).sort();
}

/**
 * The same for all: Go's build cache has a package once for each set of them. Without C every program runs
 * anywhere.
 */
const buildEnv = { CGO_ENABLED: "0" };

function buildFlags({ linked = [], flags = [] }: Program): string[] {
  return ["-trimpath", "-buildvcs=false", "-ldflags", ["-s -w", ...linked].join(" "), ...flags];
}

async function compile(
  program: Program,
  module: string,
  output: string,
  progress: (text: string) => void,
): Promise<void> {
  const env = { ...process.env, ...buildEnv };
  const total = (
    await run("go", ["list", "-deps", ...(program.flags ?? []), ...program.packages], { cwd: module, env })
  )
    .trim()
    .split("\n").length;
  let compiled = 0;
  await run("go", ["build", "-v", ...buildFlags(program), "-o", `${output}/`, ...program.packages], {
    cwd: module,
    env,
    onErrorLine: () => {
      compiled += 1;
      progress(`${program.name}: ${String(compiled)} of at most ${String(total)} packages compiled`);
    },
  });
}

async function explained(program: Program, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Error(
      `The program "${program.name}" could not be built from Go modules. If modules could not be downloaded, check the network and \`go env GOPROXY\`; then repeat the command, it goes on where it ended.\n${error.message}`,
      { cause: error },
    );
  }
}

/** Asked once for all programs. */
let version: Promise<string> | undefined;

function goVersion(): Promise<string> {
  return (version ??= askGo());
}

async function askGo(): Promise<string> {
  try {
    return (await run("go", ["env", "GOVERSION", "GOARCH"])).trim();
  } catch (error) {
    throw new Error(
      "Kubernetes and Pulumi are built with Go here, and `go` does not run. Install Go 1.26 or newer from https://go.dev/dl and put it on PATH.",
      {
        cause: error,
      },
    );
  }
}
