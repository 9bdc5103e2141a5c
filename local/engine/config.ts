/**
 * A stack's configuration as a program gets it: the stack file over the project's declared defaults, typed
 * and checked by the same rules and with the same strings as the real CLI. Every violation is reported at once.
 */
import type { Crypter } from "./crypto";
import { EngineError } from "./errors";
import { type ConfigDeclaration, type ConfigItems, isRecord, type Project } from "./project";

export interface ConfigEntry {
  /** What the program reads: text, or JSON when `object`. */
  value: string;
  secret: boolean;
  object: boolean;
}

export type ResolvedConfig = Map<string, ConfigEntry>;

const isSecure = (value: unknown): value is { secure: string } =>
  isRecord(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";

export function hasSecrets(value: unknown): boolean {
  if (isSecure(value)) return true;
  if (Array.isArray(value)) return value.some(hasSecrets);
  return isRecord(value) && Object.values(value).some(hasSecrets);
}

function decryptIn(value: unknown, crypter: Crypter | undefined): unknown {
  if (isSecure(value)) return crypter ? crypter.decrypt(value.secure) : "[secret]";
  if (Array.isArray(value)) return value.map((item) => decryptIn(item, crypter));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decryptIn(item, crypter)]));
}

function scalar(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

export function resolveEntry(value: unknown, crypter: Crypter | undefined): ConfigEntry {
  const secret = hasSecrets(value);
  const plain = decryptIn(value, crypter);
  const object = !isSecure(value) && (isRecord(plain) || Array.isArray(plain));
  return { value: object ? JSON.stringify(plain) : scalar(plain), secret, object };
}

export function typeLabel(type: string, items?: ConfigItems): string {
  return items ? `array<${typeLabel(items.type, items.items)}>` : type;
}

export function matchesType(type: string, items: ConfigItems | undefined, value: unknown): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "integer":
      return typeof value === "number" ? Number.isInteger(value) : typeof value === "string" && /^[+-]?\d+$/.test(value);
    case "boolean":
      return typeof value === "boolean" || value === "true" || value === "false";
    case "object":
      return isRecord(value);
    default:
      return Array.isArray(value) && items !== undefined && value.every((item) => matchesType(items.type, items.items, item));
  }
}

function checkValue(stack: string, key: string, declaration: ConfigDeclaration, entry: ConfigEntry): string | undefined {
  if (declaration.type === undefined) return undefined;
  if (declaration.secret && !entry.secret) {
    return `Stack '${stack}' with configuration key '${key}' must be encrypted as it's secret; set it with: config set --secret ${key}`;
  }
  const content: unknown = entry.object ? JSON.parse(entry.value) : entry.value;
  if (matchesType(declaration.type, declaration.items, content)) return undefined;
  const shown = entry.secret ? "[secret]" : entry.value;
  const label = typeLabel(declaration.type, declaration.items);
  return `Stack '${stack}' with configuration key '${key}' must be of type '${label}', but is '${shown}'; set it with: config set ${key} VALUE`;
}

/** The keys the project declares, each with its problems; the declared defaults are filled in. */
export function resolveConfig(
  project: Project,
  stack: string,
  entries: ReadonlyMap<string, unknown>,
  crypter: Crypter | undefined,
): ResolvedConfig {
  const resolved: ResolvedConfig = new Map([...entries].map(([key, value]) => [key, resolveEntry(value, crypter)]));
  const problems: string[] = [];
  const missing: string[] = [];
  for (const [name, declaration] of [...project.config].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = name.includes(":") ? name : `${project.name}:${name}`;
    const own = key.startsWith(`${project.name}:`);
    const found = resolved.get(key);
    const fallback = declaration.value ?? declaration.default;
    if (found) {
      const problem = checkValue(stack, name, declaration, found);
      if (problem !== undefined) problems.push(problem);
    } else if (fallback !== undefined) {
      if (own && declaration.type !== undefined && !matchesType(declaration.type, declaration.items, fallback)) {
        problems.push(`The default value specified for configuration key '${name}' is not of the expected type '${typeLabel(declaration.type, declaration.items)}'; correct it in ${project.file}`);
      }
      resolved.set(key, resolveEntry(fallback, undefined));
    } else if (own) {
      missing.push(name);
    }
  }
  if (missing.length > 0) {
    const several = missing.length > 1;
    problems.push(`Stack '${stack}' is missing configuration value${several ? "s" : ""} ${missing.map((key) => `'${key}'`).join(", ")}; set ${several ? "them" : "it"} with: config set ${missing[0] ?? ""} VALUE`);
  }
  if (problems.length > 0) throw new EngineError(problems.join("\n"));
  return resolved;
}
