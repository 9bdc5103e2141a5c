import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { postgresBinDir } from "../services/postgres";
import { redisProgram } from "../services/redis";
import { CommandError, run } from "./run";

interface Requirement {
  debianPackage: string;
  present: () => boolean;
}

/** What needs them: a stage, or the tests of the pages. */
export type Purpose = "stage" | "browser";

const stage: Requirement[] = [
  { debianPackage: "runc", present: () => onPath("runc") },
  { debianPackage: "nftables", present: () => onPath("nft") },
  { debianPackage: "iproute2", present: () => onPath("ip") },
  { debianPackage: "postgresql", present: () => postgresBinDir() !== undefined },
  // Not redis-server: that package adds a system service to the same program.
  { debianPackage: "redis-tools", present: () => redisProgram() !== undefined },
];

/** Debian's own build of the browser. */
export const chromiumProgram = "/usr/bin/chromium";

const browser: Requirement[] = [
  { debianPackage: "chromium", present: () => existsSync(chromiumProgram) },
  // Without a font a page is measured, and photographed, without letters.
  {
    debianPackage: "fonts-dejavu-core",
    present: () => existsSync("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
  },
];

const requirements: Record<Purpose, Requirement[]> = { stage, browser };

/** PATH of the programs that need root: Debian leaves the sbin folders out for some users. */
export const systemPath = [
  ...new Set([
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
  ]),
].join(delimiter);

function onPath(command: string): boolean {
  return systemPath.split(delimiter).some((folder) => existsSync(join(folder, command)));
}

/** Debian packages that are needed and the machine lacks. */
export function missingPackages(purpose: Purpose = "stage"): string[] {
  return requirements[purpose]
    .filter((requirement) => !requirement.present())
    .map((requirement) => requirement.debianPackage);
}

/** Installs Debian packages. PostgreSQL comes without the cluster that its package would create and start. */
export async function installPackages(packages: string[], progress: (text: string) => void): Promise<void> {
  if (process.getuid?.() !== 0 || !onPath("apt-get")) {
    throw new Error(
      `The programs of the Debian packages ${packages.join(", ")} are missing and cannot be installed here (that takes root and apt-get). Install them with your system's package manager, or use a cluster you have: \`npm start -- --context NAME\`.`,
    );
  }
  progress(`installing ${packages.join(", ")}`);
  await withoutMainCluster(async () => {
    try {
      await aptInstall(packages);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      // The package lists may be missing (fresh machine) or name versions that are gone.
      progress("apt-get update");
      await run("apt-get", ["update", "-q"]);
      progress(`installing ${packages.join(", ")}`);
      await aptInstall(packages);
    }
  });
  const missing = [...missingPackages("stage"), ...missingPackages("browser")].filter((each) =>
    packages.includes(each),
  );
  if (missing.length > 0) {
    throw new Error(
      `Installed ${packages.join(", ")}, but the programs of ${missing.join(", ")} are still not found in ${systemPath}.`,
    );
  }
}

async function aptInstall(packages: string[]): Promise<void> {
  await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...packages], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/**
 * While `work` runs, a freshly installed PostgreSQL creates no cluster of its own, so the package starts no
 * server.
 */
async function withoutMainCluster(work: () => Promise<void>): Promise<void> {
  const folder = "/etc/postgresql-common/createcluster.d";
  const file = join(folder, "bluegreen-stage.conf");
  await mkdir(folder, { recursive: true });
  await writeFile(file, "create_main_cluster = false\n");
  try {
    await work();
  } finally {
    await rm(file, { force: true });
  }
}
