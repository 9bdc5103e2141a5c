/** Pulumi.yaml: the project's name, how it is run, and its declared configuration. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { EngineError } from "./errors";

export interface ConfigItems {
  type: string;
  items?: ConfigItems;
}

export interface ConfigDeclaration {
  type?: string;
  description?: string;
  items?: ConfigItems;
  default?: unknown;
  value?: unknown;
  secret: boolean;
}

export interface Project {
  name: string;
  /** The folder of Pulumi.yaml. */
  directory: string;
  file: string;
  main: string;
  nodeArgs: string[];
  typescript: boolean;
  backendUrl?: string;
  stackConfigDirectory: string;
  config: Map<string, ConfigDeclaration>;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function parseItems(value: unknown): ConfigItems | undefined {
  if (!isRecord(value)) return undefined;
  const items = parseItems(value["items"]);
  return { type: text(value["type"]) ?? "string", ...(items ? { items } : {}) };
}

/** A declaration is a block, or, in short, the value itself. */
function parseDeclaration(value: unknown): ConfigDeclaration {
  if (!isRecord(value)) return { value, secret: false };
  const type = text(value["type"]);
  const description = text(value["description"]);
  const items = parseItems(value["items"]);
  return {
    ...(type === undefined ? {} : { type }),
    ...(description === undefined ? {} : { description }),
    ...(items === undefined ? {} : { items }),
    ...(value["default"] === undefined ? {} : { default: value["default"] }),
    ...(value["value"] === undefined ? {} : { value: value["value"] }),
    secret: value["secret"] === true,
  };
}

/** Finds Pulumi.yaml in the folder or one above it, as the real CLI does. */
function findProjectFile(start: string): string {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    const file = join(folder, "Pulumi.yaml");
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) {
      throw new EngineError(`no Pulumi.yaml in ${resolve(start)} or a folder above it; change to the project's folder`);
    }
  }
}

export function loadProject(workDir: string): Project {
  const file = findProjectFile(workDir);
  const yaml: unknown = parse(readFileSync(file, "utf8"));
  if (!isRecord(yaml)) throw new EngineError(`${file} is not a YAML mapping`);
  const name = text(yaml["name"]);
  if (name === undefined || name === "") throw new EngineError(`${file}: project is missing a 'name' attribute`);
  const runtime = isRecord(yaml["runtime"]) ? yaml["runtime"] : { name: yaml["runtime"] };
  if (runtime["name"] !== "nodejs") {
    throw new EngineError(`${file}: runtime ${JSON.stringify(runtime["name"])} is not covered by the stand-in engine, which runs nodejs programs only; install the Pulumi CLI`);
  }
  const options = isRecord(runtime["options"]) ? runtime["options"] : {};
  const backend = isRecord(yaml["backend"]) ? text(yaml["backend"]["url"]) : undefined;
  const config = isRecord(yaml["config"]) ? yaml["config"] : {};
  const directory = dirname(file);
  return {
    name,
    directory,
    file,
    main: text(yaml["main"]) ?? "",
    nodeArgs: (text(options["nodeargs"]) ?? "").split(" ").filter((arg) => arg !== ""),
    typescript: options["typescript"] !== false,
    ...(backend === undefined ? {} : { backendUrl: backend }),
    stackConfigDirectory: join(directory, text(yaml["stackConfigDir"]) ?? ""),
    config: new Map(Object.entries(config).map(([key, value]) => [key, parseDeclaration(value)])),
  };
}
