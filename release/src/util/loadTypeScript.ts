import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type typescript from "typescript";

/**
 * From now on this process loads TypeScript: tests and backfills of a program, whatever its tsconfig.json and its
 * package.json say of modules. Each file is compiled alone, to CommonJS, with all else that the tsconfig says of
 * the language; types are not checked.
 * @param folder of the program
 */
export function loadTypeScript(folder: string): void {
  if (loaded.has(folder)) return;
  loaded.add(folder);
  const compiler = createCompiler(folder);
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        const written = sourceOf(specifier, context.parentURL);
        if (written === undefined) throw error;
        return { url: written, shortCircuit: true };
      }
    },
    load(url, context, next) {
      if (!isTypeScript(url)) return next(url, context);
      const path = fileURLToPath(url);
      return { format: "commonjs", source: compiler(readFileSync(path, "utf8"), path), shortCircuit: true };
    },
  });
}

/** Hooks add up. */
const loaded = new Set<string>();

/** Not of packages: what they bring is built. */
function isTypeScript(url: string): boolean {
  return url.startsWith("file:") && /\.c?ts$/.test(url) && !url.includes("/node_modules/");
}

/** The file that becomes the one that is asked for, as TypeScript has it, or that lacks its ending. */
function sourceOf(specifier: string, parent: string | undefined): string | undefined {
  if (parent === undefined || !/^\.\.?\//.test(specifier)) return undefined;
  const url = new URL(specifier, parent).href;
  return [url.replace(/\.(c?)js$/, ".$1ts"), `${url}.ts`, `${url}/index.ts`].find(
    (each) => each !== url && existsSync(fileURLToPath(each)),
  );
}

function createCompiler(folder: string): (text: string, path: string) => string {
  // Megabytes, for those who have something to compile.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const ts = require("typescript") as typeof typescript;
  const compilerOptions = {
    ...languageOf(ts, folder),
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2023,
    esModuleInterop: true,
    inlineSourceMap: true,
    verbatimModuleSyntax: false,
  };
  return (text, fileName) => ts.transpileModule(text, { fileName, compilerOptions }).outputText;
}

/** What the program's tsconfig.json says of the language itself; of files, folders and modules nothing. */
function languageOf(ts: typeof typescript, folder: string): typescript.CompilerOptions {
  const file = ts.findConfigFile(folder, (path) => existsSync(path));
  if (file === undefined) return {};
  // What is wrong with it is the editor's to say: a release needs little of it.
  const { config } = ts.readConfigFile(file, (path) => readFileSync(path, "utf8")) as { config?: unknown };
  const host = { ...ts.sys, readDirectory: () => [] };
  const { options } = ts.parseJsonConfigFileContent(config ?? {}, host, dirname(file));
  const { jsx, jsxFactory, jsxImportSource, experimentalDecorators, emitDecoratorMetadata } = options;
  const { useDefineForClassFields } = options;
  return Object.fromEntries(
    Object.entries({
      jsx,
      jsxFactory,
      jsxImportSource,
      experimentalDecorators,
      emitDecoratorMetadata,
      useDefineForClassFields,
    }).filter(([, value]) => value !== undefined),
  );
}
