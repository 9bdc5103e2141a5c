import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readOptions } from "../../local/start/options";
import { runLocal } from "./support";

const complete = [
  "--image-repository",
  "example.com/app",
  "--old-tag",
  "v1",
  "--new-tag",
  "v2",
  "--database-address",
  "db:5432",
  "--redis-url",
  "redis://redis:6379",
];
const databaseAdminUrl = "postgresql://admin:hunter2@db.example.com/postgres";

/** A kubeconfig whose only cluster does not exist. */
function kubeconfig(): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "production", context: { cluster: "c", user: "u" } }],
  });
}

describe("npm start refuses", () => {
  let dir: string;
  let env: Record<string, string>;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "bg-start-"));
    await writeFile(join(dir, "kubeconfig"), kubeconfig());
    env = {
      KUBECONFIG: join(dir, "kubeconfig"),
      BLUEGREEN_STAGE_DIR: join(dir, "stage"),
      DATABASE_ADMIN_URL: databaseAdminUrl,
    };
  });

  after(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it("--context without what the local stage would have made, naming all of it", () => {
    expect(() => readOptions(["--context", "production", "--old-tag", "v1"], {}))
      .to.throw("--image-repository, --new-tag, --database-address, --redis-url, DATABASE_ADMIN_URL")
      .with.property("message")
      .that.does.not.include("--old-tag,");
  });

  it("options of a foreign cluster without --context", () => {
    expect(() => readOptions(["--old-tag", "v7"], {})).to.throw("--old-tag v7");
  });

  it("a context that the kubeconfig does not know", async () => {
    const { code, errors } = await runLocal("start.ts", ["--context", "staging", ...complete, "--yes"], env);
    expect(code).to.equal(1);
    expect(errors).to.include('"staging"').and.include("production");
  });

  it("a rate out of bounds", async () => {
    const { code, errors } = await runLocal("start.ts", ["--rate", "5000"], env);
    expect(code).to.equal(1);
    expect(errors).to.include("--rate").and.include("5000").and.include("from 1 to 1000");
  });
});

describe("npm run stop", () => {
  it("clears away what a stage has left, and may be repeated", async () => {
    const dir = await mkdtemp(join(tmpdir(), "bg-stop-"));
    const stage = join(dir, "stage");
    try {
      await mkdir(join(stage, "pulumi"), { recursive: true });
      const first = await runLocal("stop.ts", [], { BLUEGREEN_STAGE_DIR: stage });
      expect(first.code, first.errors).to.equal(0);
      expect(first.output).to.include("removed");
      expect(existsSync(stage)).to.equal(false);
      const second = await runLocal("stop.ts", [], { BLUEGREEN_STAGE_DIR: stage });
      expect(second.code).to.equal(0);
      expect(second.output).to.include("There was no local stage");
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});

describe("npm run status", () => {
  it("says so when nothing runs, and fails", async () => {
    const { code, output } = await runLocal("status.ts", [], {
      BLUEGREEN_STAGE_DIR: join(tmpdir(), "bg-no-stage"),
    });
    expect(code).to.equal(1);
    expect(output).to.include("does not run").and.include("npm start");
  });
});
