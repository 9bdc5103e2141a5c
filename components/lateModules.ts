import { createRequire, Module } from "node:module";

// The program's folder is not known yet, but the file that Node.js runs is the SDK's.
const sdk = createRequire(process.argv[1] ?? __filename);

/** The file of the copy of the SDK that runs the program; another version of it loads what it wants. */
function fileOf(name: string): string | undefined {
  try {
    return sdk.resolve(name);
  } catch {
    return undefined;
  }
}

/** What the SDK has of it, once it is loaded. */
export function loadedOf(name: string): unknown {
  const file = fileOf(name);
  return file === undefined ? undefined : require.cache[file]?.exports;
}

/** Node.js takes the module for loaded, with these exports; one that is not there stays away. */
export function instead(name: string, exportsFor: (file: string) => object): void {
  const file = fileOf(name);
  if (file === undefined) return;
  require.cache[file] = Object.assign(new Module(file), {
    filename: file,
    loaded: true,
    exports: exportsFor(file),
  });
}

/** Loads the file itself, once. To Node.js it stays what stands in: the SDK knows a module that a function uses by that. */
export function loaderOf(file: string): () => unknown {
  let loaded: { exports: unknown } | undefined;
  const load = () => {
    const known = require.cache[file];
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- it is Node.js that reads it
    delete require.cache[file];
    try {
      return { exports: createRequire(file)(file) as unknown };
    } finally {
      if (known !== undefined) require.cache[file] = known;
    }
  };
  return () => (loaded ??= load()).exports;
}

/** A module that is loaded when it is asked for something. */
export function late(file: string): object {
  return standIn(file, {}, undefined);
}

/** The same of one that was compiled from a module of ECMAScript. */
export function compiledLate(file: string): object {
  return standIn(file, {}, true);
}

/** The same of one that is a function. */
export function calledLate(file: string): object {
  return standIn(file, () => undefined, undefined);
}

/** @param compiled what compiled code asks of whatever it requires, before it uses it */
function standIn(file: string, as: object, compiled: true | undefined): object {
  const load = loaderOf(file) as () => object;
  return new Proxy(as, {
    get: (_, name) => (name === "__esModule" ? compiled : (Reflect.get(load(), name) as unknown)),
    set: (_, name, value) => Reflect.set(load(), name, value),
    has: (_, name) => Reflect.has(load(), name),
    deleteProperty: (_, name) => Reflect.deleteProperty(load(), name),
    defineProperty: (_, name, how) => Reflect.defineProperty(load(), name, how),
    ownKeys: () => Reflect.ownKeys(load()),
    getOwnPropertyDescriptor: (_, name) => {
      const of = Reflect.getOwnPropertyDescriptor(load(), name);
      // What stands in has no property that must never change.
      return of && { ...of, configurable: true };
    },
    preventExtensions: () => false,
    apply: (_, that, of) => Reflect.apply<unknown, unknown[], unknown>(load() as () => unknown, that, of),
  });
}
