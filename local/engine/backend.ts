/** Pulumi's own file backend: where the checkpoints, locks and the choice of stack are, and how they are written. */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { EngineError } from "./errors";
import { isRecord, type Project } from "./project";
import type { Json } from "./wire";

const ORGANIZATION = "organization";

type Environment = Readonly<Record<string, string | undefined>>;

export class Backend {
  private readonly root: string;

  constructor(
    private readonly project: Project,
    private readonly env: Environment,
  ) {
    const url = env["PULUMI_BACKEND_URL"] ?? project.backendUrl;
    if (url === undefined || url === "") {
      throw new EngineError("no state backend: set PULUMI_BACKEND_URL=file://DIR (for example file://~), the folder that keeps the stacks' state");
    }
    if (!url.startsWith("file://")) {
      throw new EngineError(`backend ${url} is not covered by the stand-in engine, which keeps state in files only; set PULUMI_BACKEND_URL=file://DIR or install the Pulumi CLI`);
    }
    const path = url.slice("file://".length);
    const directory = path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
    this.root = join(directory.startsWith("/") ? directory : join(project.directory, directory), ".pulumi");
  }

  checkpointPath(stack: string): string {
    return join(this.root, "stacks", this.project.name, `${stack}.json`);
  }

  lockDirectory(stack: string): string {
    return join(this.root, "locks", ORGANIZATION, this.project.name, stack);
  }

  stacks(): string[] {
    const directory = dirname(this.checkpointPath("any"));
    if (!existsSync(directory)) return [];
    return readdirSync(directory).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length)).sort();
  }

  exists(stack: string): boolean {
    return existsSync(this.checkpointPath(stack));
  }

  /** The deployment (`latest`) of the stack, if it has one. */
  read(stack: string): { [key: string]: Json } | undefined {
    const path = this.checkpointPath(stack);
    if (!existsSync(path)) {
      if (existsSync(`${path}.gz`)) throw new EngineError(`${path}.gz is compressed, which the stand-in engine does not read: decompress it, or use the Pulumi CLI`);
      return undefined;
    }
    const json = JSON.parse(readFileSync(path, "utf8")) as { version?: Json; checkpoint?: { latest?: { [key: string]: Json } } };
    if (json.version !== 3) {
      throw new EngineError(`${path} is checkpoint version ${JSON.stringify(json.version)}; the stand-in engine reads version 3: bring it up to date with the Pulumi CLI`);
    }
    return json.checkpoint?.latest;
  }

  /** All or nothing: a process killed at any point leaves the old file or the new one, never a part. */
  write(stack: string, deployment: { [key: string]: Json } | undefined): void {
    this.ensureMeta();
    const path = this.checkpointPath(stack);
    const checkpoint = { stack: `${ORGANIZATION}/${this.project.name}/${stack}`, ...(deployment ? { latest: deployment } : {}) };
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    const file = openSync(temporary, "w", 0o600);
    try {
      writeSync(file, JSON.stringify({ version: 3, checkpoint }));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  remove(stack: string): void {
    rmSync(this.checkpointPath(stack));
  }

  get selected(): string | undefined {
    const path = this.workspacePath();
    if (!existsSync(path)) return undefined;
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    const stack = isRecord(json) ? json["stack"] : undefined;
    return typeof stack === "string" ? stack.split("/").at(-1) : undefined;
  }

  select(stack: string): void {
    const path = this.workspacePath();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify({ stack }));
  }

  private workspacePath(): string {
    const home = this.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const hash = createHash("sha1").update(this.project.file).digest("hex");
    return join(home, "workspaces", `${this.project.name}-${hash}-workspace.json`);
  }

  private ensureMeta(): void {
    const path = join(this.root, "meta.yaml");
    if (existsSync(path)) return;
    mkdirSync(this.root, { recursive: true });
    writeFileSync(path, "version: 1\n");
  }
}
