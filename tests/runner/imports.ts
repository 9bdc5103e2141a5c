import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { repositoryDir } from "../../local/paths";

/** The sources of this repository's packages, by the name that others import them by. */
const packages = { "@bluegreen/release": "release/src", "@bluegreen/components": "components" };

interface Imported {
  specifier: string;
  /** Undefined where it is all that the module has. */
  names: string[] | undefined;
}

/** Which sources of this repository each one loads, by import or by `require` of a text. */
export class Imports {
  readonly #direct = new Map<string, readonly string[]>();
  readonly #barrels = new Map<string, ReadonlyMap<string, string>>();

  /** @param registry whose modules count only where they are named: whoever reads it loads none of them */
  constructor(private readonly registry: string) {}

  /** All that a file loads, itself too, and what those load. Paths are below the repository. */
  reach(file: string, seen = new Set<string>()): Set<string> {
    if (seen.has(file)) return seen;
    seen.add(file);
    for (const next of this.#of(file)) this.reach(next, seen);
    return seen;
  }

  /** The modules that the registry loads when they are asked for, by the names they are asked for by. */
  get named(): ReadonlyMap<string, string> {
    const { registry } = this;
    const found = new Map<string, string>();
    const visit = (node: ts.Node) => {
      if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name)) {
        const [, specifier] = /import\("([^"]+)"\)/.exec(node.initializer.getText()) ?? [];
        const target = specifier === undefined ? undefined : resolve(specifier, registry);
        if (target !== undefined) found.set(node.name.text, target);
      }
      ts.forEachChild(node, visit);
    };
    visit(sourceOf(registry));
    return found;
  }

  /** Those of them whose name is a text in a file. */
  namedIn(file: string, modules: ReadonlyMap<string, string>): string[] {
    const text = readFileSync(join(repositoryDir, file), "utf8");
    return [...modules].filter(([name]) => text.includes(`"${name}"`)).map(([, module]) => module);
  }

  #of(file: string): readonly string[] {
    const known =
      this.#direct.get(file) ??
      parse(file, file !== this.registry).flatMap((each) => this.#filesOf(each, file));
    this.#direct.set(file, known);
    return known;
  }

  /** Whoever takes one thing from the index of a package does not depend on all the others in it. */
  #filesOf({ specifier, names }: Imported, from: string): string[] {
    const target = resolve(specifier, from);
    if (target === undefined) return [];
    if (names === undefined || !Object.keys(packages).includes(specifier)) return [target];
    const barrel = this.#barrels.get(target) ?? exportsOf(target);
    this.#barrels.set(target, barrel);
    return names.map((name) => barrel.get(name) ?? target);
  }
}

function parse(file: string, withDynamic: boolean): Imported[] {
  if (!/\.tsx?$/.test(file)) return [];
  const source = sourceOf(file);
  const found: Imported[] = [];
  const visit = (node: ts.Node) => {
    if (
      ts.isImportDeclaration(node) &&
      ts.isStringLiteral(node.moduleSpecifier) &&
      node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword
    ) {
      const bindings = node.importClause?.namedBindings;
      const names =
        bindings !== undefined && ts.isNamedImports(bindings) && node.importClause?.name === undefined
          ? bindings.elements
              .filter(({ isTypeOnly }) => !isTypeOnly)
              .map(({ name, propertyName }) => (propertyName ?? name).text)
          : undefined;
      found.push({ specifier: node.moduleSpecifier.text, names });
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier) &&
      !node.isTypeOnly
    ) {
      found.push({ specifier: node.moduleSpecifier.text, names: undefined });
    } else if (
      ts.isCallExpression(node) &&
      ((withDynamic && node.expression.kind === ts.SyntaxKind.ImportKeyword) ||
        (ts.isIdentifier(node.expression) && node.expression.text === "require"))
    ) {
      const [specifier] = node.arguments;
      if (specifier !== undefined && ts.isStringLiteral(specifier))
        found.push({ specifier: specifier.text, names: undefined });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function exportsOf(barrel: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const node of sourceOf(barrel).statements) {
    if (
      !ts.isExportDeclaration(node) ||
      node.moduleSpecifier === undefined ||
      !ts.isStringLiteral(node.moduleSpecifier) ||
      node.exportClause === undefined ||
      !ts.isNamedExports(node.exportClause)
    )
      continue;
    const target = resolve(node.moduleSpecifier.text, barrel);
    if (target !== undefined) for (const { name } of node.exportClause.elements) found.set(name.text, target);
  }
  return found;
}

function sourceOf(file: string): ts.SourceFile {
  return ts.createSourceFile(
    file,
    readFileSync(join(repositoryDir, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
}

function resolve(specifier: string, from: string): string | undefined {
  const [name, folder] =
    Object.entries(packages).find(([each]) => specifier === each || specifier.startsWith(`${each}/`)) ?? [];
  const path =
    name !== undefined && folder !== undefined
      ? join(repositoryDir, folder, specifier === name ? "index" : specifier.slice(name.length + 1))
      : specifier.startsWith(".")
        ? join(repositoryDir, dirname(from), specifier)
        : undefined;
  if (path === undefined) return undefined;
  const bare = path.replace(/\.js$/, "");
  const file = [bare, `${bare}.ts`, `${bare}.tsx`, join(bare, "index.ts")].find(
    (each) => existsSync(each) && /\.\w+$/.test(each),
  );
  return file === undefined ? undefined : relative(repositoryDir, file);
}
