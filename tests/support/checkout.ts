import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { repositoryDir } from "../../local/paths";

/** This program in a repository of its own, as a job checks it out, and where it pushes to. */
export interface Checkout {
  folder: string;
  git(...args: string[]): string;
  /** A file as main has it at the origin. */
  atOrigin(file: string): string;
  /** Somebody else's commit on main: the file, with what `change` makes of it. */
  pushChange(file: string, change: (text: string) => string): void;
  remove(): void;
}

/** What is not a part of the program, or is not committed. */
const leftOut = new Set(["node_modules", ".git", ".pulumi", ".stage"]);

export function makeCheckout(): Checkout {
  const root = mkdtempSync(join(tmpdir(), "bg-checkout-"));
  const [folder, origin, other] = [join(root, "checkout"), join(root, "origin.git"), join(root, "other")];
  const gitIn = (cwd: string, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], {
      cwd,
      encoding: "utf8",
    });
  // Times too: by them is seen that packages and build are those of the sources.
  cpSync(repositoryDir, folder, {
    recursive: true,
    preserveTimestamps: true,
    filter: (source) =>
      source === repositoryDir ||
      !(
        leftOut.has(basename(source)) ||
        basename(source).startsWith(".test-") ||
        /^Pulumi\.(?!production)\w[\w-]*\.yaml$/.test(basename(source))
      ),
  });
  symlinkSync(join(repositoryDir, "node_modules"), join(folder, "node_modules"));
  const git = (...args: string[]) => gitIn(folder, ...args);
  gitIn(root, "init", "--quiet", "--bare", "--initial-branch=main", origin);
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(join(folder, ".git/info/exclude"), "node_modules\n");
  git("add", "--all");
  git("commit", "--quiet", "--message=The program");
  git("remote", "add", "origin", origin);
  git("push", "--quiet", "origin", "main");
  return {
    folder,
    git,
    atOrigin: (file) => gitIn(origin, "show", `main:${file}`),
    pushChange: (file, change) => {
      rmSync(other, { recursive: true, force: true });
      gitIn(root, "clone", "--quiet", origin, other);
      writeFileSync(join(other, file), change(readFileSync(join(other, file), "utf8")));
      gitIn(other, "commit", "--quiet", "--all", "--message=Somebody else's");
      gitIn(other, "push", "--quiet", "origin", "main");
    },
    remove: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
}
