import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { prepareEdge } from "../edge/module";
import { cacheDir } from "../paths";
import { withLock } from "../system/lock";
import { CommandError, run } from "../system/run";

/** A Go module in programs/ and what it builds. */
interface Program {
  name: string;
  /** What to build, as `go build` takes it. */
  packages: string[];
  flags: string[];
  env: Record<string, string>;
  /** Shown before the first build. */
  duration: string;
  /**
   * Makes the module that is built, in a folder that is there for the build alone.
   * @default the module is built as it is
   */
  prepare?: (module: string, output: string, folder: string) => Promise<void>;
}

const kubernetesVersion = "1.37.2";
const [kubernetesMajor = "", kubernetesMinor = ""] = kubernetesVersion.split(".");

// Without these the components take themselves for v0.0.0 and refuse to work with each other.
const kubernetesVersionFlags = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((variables) => [
  `-X ${variables}.gitVersion=v${kubernetesVersion}`,
  `-X ${variables}.gitMajor=${kubernetesMajor}`,
  `-X ${variables}.gitMinor=${kubernetesMinor}`,
]);

const kubernetes: Program = {
  name: "kubernetes",
  packages: ["."],
  flags: ["-ldflags", ["-s -w", ...kubernetesVersionFlags].join(" ")],
  env: {},
  duration: "about 10 minutes on 2 cores, once",
};

const containers: Program = {
  name: "containers",
  packages: ["tool"],
  flags: ["-ldflags", "-s -w", "-tags", "no_btrfs,no_devmapper,no_zfs"],
  env: { CGO_ENABLED: "0" },
  duration: "about a minute, once",
};

const supervisor: Program = {
  name: "supervisor",
  packages: [".", "./pause"],
  flags: ["-ldflags", "-s -w"],
  // The pause program is an image of its own, without any library.
  env: { CGO_ENABLED: "0" },
  duration: "a few seconds, once",
};

const edge: Program = {
  name: "edge",
  packages: ["tool"],
  flags: ["-ldflags", "-s -w"],
  env: { CGO_ENABLED: "0" },
  duration: "about 6 minutes on 2 cores, once",
  prepare: prepareEdge,
};

const simulated: Program = {
  name: "simulated",
  packages: ["tool"],
  flags: ["-ldflags", "-s -w"],
  env: { CGO_ENABLED: "0" },
  duration: "about 2 minutes on 2 cores, once",
};

/** Of the same versions of Kubernetes' modules as Kubernetes: what that has compiled is not compiled again. */
const metrics: Program = {
  name: "metrics",
  packages: ["tool"],
  flags: ["-ldflags", "-s -w"],
  env: {},
  duration: "1 to 4 minutes on 2 cores, once",
};

/** What reads workflows as GitHub does; for tests. */
const actionlint: Program = {
  name: "actionlint",
  packages: ["tool"],
  flags: ["-ldflags", "-s -w"],
  env: { CGO_ENABLED: "0" },
  duration: "less than a minute, once",
};

/** Kubernetes' own command line, of the same version, for tests of what the documentation says to type. */
const kubectl: Program = {
  name: "kubectl",
  packages: ["."],
  flags: ["-ldflags", ["-s -w", ...kubernetesVersionFlags].join(" ")],
  env: { CGO_ENABLED: "0" },
  duration: "about a minute, once",
};

/** Folders of the built programs. */
export interface Programs {
  kubernetes: string;
  containers: string;
  supervisor: string;
}

/** Builds what is not built yet and returns the folders with the programs. */
export async function buildPrograms(progress: (text: string) => void): Promise<Programs> {
  // One after the other: each build uses every core.
  return {
    supervisor: await build(supervisor, progress),
    containers: await build(containers, progress),
    kubernetes: await build(kubernetes, progress),
  };
}

/** Builds the edge if it is not built yet and returns its folder. Apart from the others: few need it, and it takes its time. */
export async function buildEdge(progress: (text: string) => void): Promise<string> {
  return build(edge, progress);
}

/** The same for what keeps simulated nodes: a stage starts without. */
export async function buildSimulated(progress: (text: string) => void): Promise<string> {
  return build(simulated, progress);
}

/** Builds metrics-server if it is not built yet and returns its folder. */
export async function buildMetrics(progress: (text: string) => void): Promise<string> {
  return build(metrics, progress);
}

/** Builds actionlint if it is not built yet and returns its folder. */
export async function buildActionlint(progress: (text: string) => void): Promise<string> {
  return build(actionlint, progress);
}

/** Builds kubectl if it is not built yet and returns its folder. */
export async function buildKubectl(progress: (text: string) => void): Promise<string> {
  return build(kubectl, progress);
}

async function build(program: Program, progress: (text: string) => void): Promise<string> {
  const source = join(__dirname, "programs", program.name);
  const go = await goVersion();
  const flags = ["-trimpath", "-buildvcs=false", ...program.flags];
  const key = createHash("sha256").update(JSON.stringify([go, flags, program.env]));
  for (const file of await sources(source)) key.update(relative(source, file)).update("\0").update(await readFile(file)).update("\0");
  const folder = join(cacheDir(), "programs", `${program.name}-${key.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  return withLock(
    `${folder}.lock`,
    async () => {
      if (existsSync(folder)) return folder;
      progress(`${program.name}: building from Go modules (${program.duration})`);
      const temporary = `${folder}.new`;
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { recursive: true });
      const prepared = join(temporary, "module");
      await program.prepare?.(source, temporary, prepared);
      await compile(program, program.prepare === undefined ? source : prepared, flags, temporary, progress);
      await rm(prepared, { recursive: true, force: true });
      // The folder's name appears in one step: a build that was killed leaves only the temporary one.
      await rename(temporary, folder);
      return folder;
    },
    () => {
      progress(`${program.name}: waiting for another build of it`);
    },
  );
}

async function compile(program: Program, source: string, flags: string[], output: string, progress: (text: string) => void): Promise<void> {
  const env = { ...process.env, ...program.env };
  try {
    const total = (await run("go", ["list", "-deps", ...program.packages], { cwd: source, env })).trim().split("\n").length;
    let compiled = 0;
    await run("go", ["build", "-v", ...flags, "-o", `${output}/`, ...program.packages], {
      cwd: source,
      env,
      onErrorLine: () => {
        compiled += 1;
        progress(`${program.name}: ${String(compiled)} of at most ${String(total)} packages compiled`);
      },
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Error(
      `The program "${program.name}" of the local cluster could not be built from Go modules. If modules could not be downloaded, check the network and \`go env GOPROXY\`; then repeat the command, it goes on where it ended.\n${error.message}`,
      { cause: error },
    );
  }
}

async function goVersion(): Promise<string> {
  try {
    return (await run("go", ["env", "GOVERSION", "GOARCH"])).trim();
  } catch (error) {
    throw new Error("The programs of the local cluster are built with Go, and `go` does not run. Install Go 1.26 or newer from https://go.dev/dl and put it on PATH.", {
      cause: error,
    });
  }
}

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
