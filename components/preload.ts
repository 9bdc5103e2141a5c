/**
 * Loaded by Node.js before Pulumi's SDK is, where Pulumi.yaml asks for it (`nodeargs`). The SDK loads a
 * compiler in every program, for functions that it serializes; here it is loaded when it is asked for something.
 * Nothing of this is needed: without it an update is the same, and takes longer.
 */
import { createRequire, enableCompileCache, Module } from "node:module";

/** The file of the copy of the SDK that runs the program; another version of it loads what it wants. */
function fileOf(sdk: NodeJS.Require, name: string): string | undefined {
  try {
    return sdk.resolve(name);
  } catch {
    return undefined;
  }
}

function loadLate(file: string): void {
  const load = createRequire(file);
  let loaded: Record<string | symbol, unknown> | undefined;
  require.cache[file] = loadedModule(
    file,
    new Proxy(
      {},
      {
        get: (_, name) => {
          if (loaded === undefined) {
            // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- it is Node.js that reads it
            delete require.cache[file];
            loaded = load(file) as Record<string | symbol, unknown>;
          }
          return loaded[name];
        },
      },
    ),
  );
}

/** What Node.js takes for a file that it has loaded. */
function loadedModule(file: string, exports: object): NodeJS.Module {
  return Object.assign(new Module(file), { filename: file, loaded: true, exports });
}

// What this process compiles the next one finds, by a shell that has no NODE_COMPILE_CACHE, too.
enableCompileCache();
// The program's folder is not known yet, but the file that Node.js runs is the SDK's.
const sdk = createRequire(process.argv[1] ?? __filename);
// In the place of the compiler.
const compiler = fileOf(sdk, "@pulumi/pulumi/typescript-shim");
if (compiler !== undefined) loadLate(compiler);
// The SDK takes a stack trace for each promise, and would look up the source map of each line of it. Lines in
// errors are those of the files that run.
const sourceMaps = fileOf(sdk, "source-map-support/register");
if (sourceMaps !== undefined) require.cache[sourceMaps] = loadedModule(sourceMaps, {});
