/** A folder with a real Pulumi program, a state of its own and a passphrase: what every run of the engine needs. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Stack } from "../../local/engine/engine";
import { standInEngine } from "../../local/engine/standIn";

const REPOSITORY = resolve(__dirname, "../..");
const STACK = "test";

export interface Workspace {
  directory: string;
  env: Record<string, string>;
  stack: Stack;
  /** Replaces the program. */
  program(code: string): void;
  /** The stack's checkpoint as it is on disk. */
  stateText(): string;
  state(): Checkpoint;
  read(file: string): string;
  remove(): void;
}

export interface StoredResource {
  urn: string;
  type: string;
  id?: string;
  delete?: boolean;
  pendingReplacement?: boolean;
  initErrors?: string[];
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

export interface Checkpoint {
  version: number;
  checkpoint: {
    stack: string;
    latest?: {
      manifest: { magic: string; version: string };
      secrets_providers: { type: string; state: { salt: string } };
      resources?: StoredResource[];
      pending_operations?: { type: string; resource: StoredResource }[];
    };
  };
}

export const projectYaml = (config = ""): string => `name: fixture\nruntime: nodejs\nmain: index.ts\n${config}`;

/** Imports every fixture program starts with; `log` appends a line to a file beside the program. */
export const PRELUDE = `
import * as pulumi from "@pulumi/pulumi";
import * as fs from "node:fs";
`;

export async function makeWorkspace(options: { config?: string; env?: Record<string, string> } = {}): Promise<Workspace> {
  const directory = mkdtempSync(join(tmpdir(), "engine-test-"));
  symlinkSync(join(REPOSITORY, "node_modules"), join(directory, "node_modules"));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "fixture", private: true }));
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions: { target: "es2022", module: "nodenext", moduleResolution: "nodenext" } }));
  writeFileSync(join(directory, "Pulumi.yaml"), projectYaml(options.config));
  const env = { PULUMI_BACKEND_URL: `file://${directory}/state`, PULUMI_CONFIG_PASSPHRASE: "correct horse", PULUMI_HOME: join(directory, "home"), ...options.env };
  const stack = await standInEngine().stack({ name: STACK, workDir: directory, env });
  const path = join(directory, "state", ".pulumi", "stacks", "fixture", `${STACK}.json`);
  return {
    directory,
    env,
    stack,
    program: (code) => { writeFileSync(join(directory, "index.ts"), code); },
    stateText: () => readFileSync(path, "utf8"),
    state: () => JSON.parse(readFileSync(path, "utf8")) as Checkpoint,
    read: (file) => readFileSync(join(directory, file), "utf8"),
    remove: () => { rmSync(directory, { recursive: true, force: true }); },
  };
}
