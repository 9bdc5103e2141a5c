import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";

const file = "Pulumi.production.yaml";
/** Nothing of the machine's own git, which may sign, sort or rewrite. */
const gitEnv = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "anna",
  GIT_AUTHOR_EMAIL: "a@example.com",
  GIT_COMMITTER_NAME: "anna",
  GIT_COMMITTER_EMAIL: "a@example.com",
};

/**
 * A server that hands out any commit by its id, as GitHub does for those of forks; somebody's clone of it;
 * and the job's.
 */
class Server {
  private readonly root = mkdtempSync(join(tmpdir(), "bg-pipeline-"));
  private readonly origin = join(this.root, "origin.git");
  readonly people = join(this.root, "people");
  readonly job = join(this.root, "job");

  constructor() {
    this.git(this.root, "init", "--quiet", "--bare", "--initial-branch=main", this.origin);
    for (const allowed of ["uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"])
      this.git(this.origin, "config", allowed, "true");
    this.git(this.origin, "config", "receive.denyDeleteCurrent", "ignore");
    this.git(this.root, "init", "--quiet", "--initial-branch=main", this.people);
    this.run("remote", "add", "origin", this.origin);
  }

  private git(cwd: string, ...args: string[]): string {
    return execFileSync("git", args, {
      cwd,
      encoding: "utf8",
      env: { ...process.env, ...gitEnv },
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  }

  /** As somebody who may push. */
  run(...args: string[]): string {
    return this.git(this.people, ...args);
  }

  /** @returns the id of a commit of the program, or of the stack's file, on what is checked out */
  commit(message: string, change: { program?: string; config?: string }): string {
    if (change.program !== undefined) writeFileSync(join(this.people, "program"), change.program);
    if (change.config !== undefined) writeFileSync(join(this.people, file), change.config);
    this.run("add", "--all");
    this.run("commit", "--quiet", "--allow-empty", `--message=${message}`);
    return this.run("rev-parse", "HEAD");
  }

  /** Config as a job gives it back, with its note. */
  note(value: string): string {
    return this.commit(`Switch production to v1 [skip ci]\n\nProgram: ${value}`, {
      config: `greenTag: ${this.run("rev-parse", "HEAD")}\n`,
    });
  }

  /** A commit of somebody else, which is only where `refs` name it. */
  evil(...refs: string[]): string {
    this.run("checkout", "--quiet", "--detach");
    const commit = this.commit("Harmless", { program: "evil" });
    this.run("checkout", "--quiet", "main");
    for (const ref of refs) this.run("push", "--quiet", "origin", `${commit}:${ref}`);
    return commit;
  }

  push(): void {
    this.run("push", "--quiet", "origin", "main");
  }

  clone(...options: string[]): void {
    this.git(this.root, "clone", "--quiet", ...options, pathToFileURL(this.origin).href, this.job);
  }

  head(): string {
    return this.git(this.job, "rev-parse", "HEAD");
  }

  program(): string {
    return readFileSync(join(this.job, "program"), "utf8");
  }

  /** A command of pipeline/, as a job runs it. */
  does(
    command: string,
    env: Record<string, string> = {},
    ...args: string[]
  ): { code: number | null; said: string } {
    const { status, stdout, stderr } = spawnSync(join(repositoryDir, "pipeline", command), args, {
      cwd: this.job,
      encoding: "utf8",
      env: { ...process.env, ...gitEnv, STACK: "production", ...env },
    });
    return { code: status, said: stdout + stderr };
  }

  atOrigin(what: string): string {
    return this.git(this.origin, "show", what);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

describe("What git may decide in a job with credentials", function () {
  let server: Server;
  /** The program of the last release, tagged v1 and on main. */
  let released: string;

  beforeEach(() => {
    server = new Server();
    server.commit("The program", { program: "unfinished", config: "greenTag: none\n" });
    released = server.commit("Release v1", { program: "released" });
    server.run("tag", "v1");
    server.push();
    server.run("push", "--quiet", "origin", "v1");
  });
  afterEach(() => {
    server.remove();
  });

  /** main as it is at night: what is on it has been merged, and not released. */
  const merged = () => {
    server.commit("Not released", { program: "merged" });
    server.push();
  };
  const takes = (commit: string) => {
    const { code, said } = server.does("take-program");
    expect(code, said).to.equal(0);
    expect(server.head(), said).to.equal(commit);
  };
  const refuses = (...words: string[]) => {
    const before = server.head();
    const { code, said } = server.does("take-program");
    expect(code, said).to.equal(1);
    expect(said).to.match(
      /^The program of the last update of production was not taken: .+\n {2}why: {2}.+\n {2}next: .+git show /,
    );
    for (const word of words) expect(said).to.contain(word);
    expect([server.head(), server.program()], "nothing was checked out").to.deep.equal([before, "merged"]);
  };

  describe("take-program takes the program of the last update", () => {
    for (const [clone, options] of [
      ["a whole clone", []],
      ["one without files", ["--filter=blob:none"]],
      ["a shallow one", ["--depth=1"]],
      [
        "a shallow one without files, of one branch",
        ["--depth=1", "--filter=blob:none", "--single-branch", "--no-tags"],
      ],
    ] as const) {
      it(`in ${clone}`, () => {
        server.note(released);
        merged();
        server.clone(...options);
        takes(released);
        expect(server.program()).to.equal("released");
      });
    }

    it("when it was never on main, and its branch is gone: its tag is there", () => {
      const hotfix = server.evil("refs/heads/hotfix");
      server.run("tag", "--annotate", "--message=1.0.1", "v1.0.1", hotfix);
      server.run("push", "--quiet", "origin", "v1.0.1", ":refs/heads/hotfix");
      server.note(hotfix);
      merged();
      server.clone("--depth=1", "--no-tags");
      takes(hotfix);
    });

    it("when no tag names it, and main once was it", () => {
      server.run("push", "--quiet", "origin", ":refs/tags/v1");
      server.note(released);
      merged();
      server.clone();
      takes(released);
    });

    it("by the last trailer of several, and the newest note of several", () => {
      server.note("0".repeat(40));
      server.note(`${"1".repeat(40)}\nProgram: ${released}`);
      merged();
      server.clone();
      takes(released);
    });

    it("by a trailer alone: a line in the middle of a message is prose", () => {
      server.note(released);
      server.commit(`Describe notes\n\nProgram: ${"0".repeat(40)}\n\nThat is how they look.`, {
        config: "described\n",
      });
      merged();
      server.clone();
      takes(released);
    });

    it("by notes of its own stack, on main alone", () => {
      server.note(released);
      server.run("checkout", "--quiet", "-b", "feature");
      server.note("0".repeat(40));
      server.run("checkout", "--quiet", "main");
      server.run("merge", "--quiet", "--no-ff", "--message=Merge pull request #7", "feature");
      server.commit(`Other\n\nProgram: ${"1".repeat(40)}`, { program: "merged" });
      server.push();
      server.clone();
      takes(released);
    });

    it("and before the first note the newest main, whatever was checked out", () => {
      merged();
      const newest = server.run("rev-parse", "main");
      server.evil("refs/heads/feature");
      server.clone("--branch=feature");
      takes(newest);
      expect(server.program()).to.equal("merged");
    });
  });

  describe("take-program refuses", () => {
    for (const [what, commitOf] of [
      ["a commit of a pull request", () => server.evil("refs/pull/7/head")],
      [
        "a commit of a fork, which the server hands out and no ref names",
        () => {
          const commit = server.evil("refs/heads/passing");
          server.run("push", "--quiet", "origin", ":refs/heads/passing");
          return commit;
        },
      ],
      ["a commit of another branch", () => server.evil("refs/heads/feature")],
      ["a commit of a branch that is called like a tag", () => server.evil("refs/heads/refs/tags/v9")],
      ["a commit of a tag that is not a release's", () => server.evil("refs/tags/nightly")],
      [
        "a commit that was merged with the one that took it back",
        () => {
          server.run("checkout", "--quiet", "-b", "feature");
          const commit = server.commit("Something", { program: "evil" });
          server.commit("Something less", { program: "released" });
          server.run("checkout", "--quiet", "main");
          server.run("merge", "--quiet", "--no-ff", "--message=Merge pull request #7", "feature");
          return commit;
        },
      ],
      [
        "a commit that the job has, and that is not main's",
        () => server.evil("refs/heads/feature", "refs/heads/main-2"),
      ],
    ] as const) {
      it(what, () => {
        const commit = commitOf();
        server.note(commit);
        merged();
        server.clone();
        refuses(commit, "anybody's code");
      });
    }

    it("what is no commit's id: git does not see it, and it is printed as text", () => {
      merged();
      server.clone();
      const options = ["--upload-pack=touch PWNED;", "-f", "+refs/heads/*:refs/heads/*"];
      const names = [
        "main",
        "v1",
        "HEAD~1",
        "refs/pull/7/head",
        "abcdef0",
        `${"0".repeat(40)}^{/x}`,
        "0".repeat(64),
        `A${released.slice(1).toUpperCase()}`,
      ];
      for (const value of [
        ...options,
        ...names,
        `${released} v1`,
        `v1 ${released}`,
        "$(touch PWNED)",
        "\u001B]0;x\u0007\r::error::x",
      ]) {
        server.note(value);
        server.push();
        refuses("a commit is 40 digits");
        expect(server.does("take-program").said).not.to.match(/[\u0007\u001B\r]/);
      }
      expect(existsSync(join(server.job, "PWNED"))).to.equal(false);
    });
  });

  it("every command says what to do where main is gone", () => {
    server.clone();
    server.run("push", "--quiet", "origin", "main:refs/heads/other", ":refs/heads/main");
    for (const command of ["take-program", "take-config"]) {
      const { code, said } = server.does(command);
      expect(code, said).to.equal(1);
      expect(said).to.contain("main was not fetched from origin").and.contain("next: ");
    }
  });

  it("every command refuses what is no stack's name, before anything else", () => {
    server.clone();
    for (const STACK of [
      "",
      "-x",
      "../production",
      "a/b",
      "a b",
      "a\nb",
      "$(touch PWNED)",
      "production:x",
      "x".repeat(101),
    ]) {
      for (const command of ["take-program", "take-config", "give-config"]) {
        const { code, said } = server.does(command, { STACK }, "message");
        expect([code, /^STACK=.* was refused\n {2}why: {2}.+\n {2}next: /.test(said)], said).to.deep.equal([
          1,
          true,
        ]);
      }
    }
  });

  it("no variable of a job says which branch is main", () => {
    server.evil("refs/heads/feature");
    server.clone();
    const { said } = server.does("take-config", { CONFIG_BRANCH: "feature" });
    expect(said).to.contain("is that of main at");
  });

  describe("take-config", () => {
    it("takes the stack's file of the newest main", () => {
      server.clone();
      server.commit("Theirs", { config: "greenTag: v2\n" });
      server.push();
      expect(server.does("take-config").code).to.equal(0);
      expect(readFileSync(join(server.job, file), "utf8")).to.equal("greenTag: v2\n");
    });

    it("refuses a symbolic link, and a file that is missing", () => {
      server.clone();
      server.run("rm", "--quiet", file);
      server.commit("No config", {});
      server.push();
      expect(server.does("take-config").said)
        .to.contain(`${file} was not taken from main`)
        .and.contain("next: ");
      symlinkSync("program", join(server.people, file));
      server.commit("A link", {});
      server.push();
      expect(server.does("take-config").said).to.contain(`${file} was not taken from main`);
      expect(readFileSync(join(server.job, file), "utf8"), "it stays").to.equal("greenTag: none\n");
    });

    it("writes through no link that is checked out", () => {
      server.clone();
      rmSync(join(server.job, file));
      symlinkSync("program", join(server.job, file));
      expect(server.does("take-config").code).to.equal(0);
      expect([server.program(), lstatSync(join(server.job, file)).isFile()]).to.deep.equal([
        "released",
        true,
      ]);
    });
  });

  it("give-config notes the program that ran, in a trailer that take-program takes, whatever the message says", () => {
    server.clone();
    const bin = join(server.job, ".git/bin");
    mkdirSync(bin);
    // In place of bluegreen and Pulumi, which say and write where traffic is.
    writeFileSync(
      join(bin, "npm"),
      `#!/bin/sh\ncase $* in *status*) echo '{"live":"green"}' ;; *) echo "activeColor: green" > ${file} ;; esac\n`,
    );
    chmodSync(join(bin, "npm"), 0o755);
    const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, GITHUB_ACTOR: "--amend" };
    expect(server.does("take-config", env).code).to.equal(0);
    const given = server.does("give-config", env, `--author=x\n\nProgram: ${"0".repeat(40)}`);
    expect(given.code, given.said).to.equal(0);
    expect(server.atOrigin(`main:${file}`)).to.equal("activeColor: green");
    server.run("pull", "--quiet", "origin", "main");
    merged();
    rmSync(server.job, { recursive: true });
    server.clone("--depth=1");
    takes(released);
  });
});
