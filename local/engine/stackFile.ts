/** Pulumi.<stack>.yaml: the stack's settings and its secrets' salt. Comments and order survive a change. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Document, isCollection, isMap, parseDocument, type YAMLMap } from "yaml";
import { EngineError } from "./errors";
import { formatPath, type Path } from "./paths";
import { isRecord, type Project } from "./project";

export class StackFile {
  private readonly document: Document;
  readonly path: string;

  constructor(
    private readonly project: Project,
    readonly stack: string,
  ) {
    this.path = join(project.stackConfigDirectory, `Pulumi.${stack}.yaml`);
    this.document = existsSync(this.path) ? parseDocument(readFileSync(this.path, "utf8")) : new Document({});
    const error = this.document.errors[0];
    if (error) throw new EngineError(`${this.path}: ${error.message}`);
    if (!isMap(this.document.contents)) this.document.contents = new Document({}).contents;
  }

  get salt(): string | undefined {
    const value: unknown = this.document.get("encryptionsalt");
    return typeof value === "string" ? value : undefined;
  }

  keepSalt(value: string): void {
    const map: unknown = this.document.contents;
    // The real CLI writes the salt first.
    if (isMap(map) && !map.has("encryptionsalt")) map.items.unshift(this.document.createPair("encryptionsalt", value));
    else this.document.set("encryptionsalt", value);
  }

  /** The plain YAML values by full key (`project:name`); encrypted ones are `{secure: …}`. */
  entries(): Map<string, unknown> {
    const json: unknown = this.document.toJS();
    const config = isRecord(json) && isRecord(json["config"]) ? json["config"] : {};
    return new Map(Object.entries(config).map(([key, value]) => [this.fullKey(key), value]));
  }

  /** @param part the way into a structure, to one part of it */
  set(key: string, value: unknown, part: Path = []): void {
    const map = this.configMap(true);
    if (map === undefined) return;
    const written = this.writtenKey(map, key);
    if (part.length > 0 && map.has(written) && !isCollection(map.get(written, true))) {
      throw new EngineError(`configuration key '${key}' is no structure: ${formatPath(part)} of it cannot be set; remove it first, with: config rm ${key}`);
    }
    map.setIn([written, ...part], this.document.createNode(value));
  }

  remove(key: string, part: Path = []): boolean {
    const map = this.configMap(false);
    return map?.deleteIn([this.writtenKey(map, key), ...part]) ?? false;
  }

  save(): void {
    writeFileSync(this.path, this.document.toString({ lineWidth: 0 }));
  }

  fullKey(key: string): string {
    return key.includes(":") ? key : `${this.project.name}:${key}`;
  }

  private writtenKey(map: YAMLMap, key: string): string {
    const full = this.fullKey(key);
    const short = full.startsWith(`${this.project.name}:`) ? full.slice(this.project.name.length + 1) : full;
    return map.has(short) ? short : full;
  }

  private configMap(create: boolean): YAMLMap | undefined {
    const map: unknown = this.document.get("config");
    if (isMap(map)) return map;
    if (!create) return undefined;
    const made = this.document.createNode({});
    this.document.set("config", made);
    return isMap(made) ? made : undefined;
  }
}
