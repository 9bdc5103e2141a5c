/** The files of a project of one's own: what `bluegreen init` writes where there is no Pulumi.yaml. */
import { existsSync, readFileSync } from "node:fs";
import { stringify } from "yaml";
import { z } from "zod";
import { requireAppName } from "@bluegreen/release/app/names";
import { UserError } from "@bluegreen/release/util/userError";
import own from "../package.json";

/** What is the same in all of its stacks. */
export interface NewProject {
  name: string;
  http: { port: number; livenessPath: string; readinessPath: string };
}

/**
 * Those of this folder, with a package.json's missing parts in the one that is there. Nothing is written.
 * @returns their texts by path
 * @throws UserError when one of them is there already, or no app can be called so
 */
export function projectHere(project: NewProject): Record<string, string> {
  requireAppName(project.name);
  const files = projectFiles(
    project,
    existsSync("package.json") ? readFileSync("package.json", "utf8") : "{}",
  );
  const taken = Object.keys(files).filter((path) => path !== "package.json" && existsSync(path));
  if (taken.length > 0)
    throw new UserError({
      code: "BG-FILE-NOT-WRITTEN",
      what: "The project was not written",
      rule: `${taken.join(", ")} ${taken.length > 1 ? "are" : "is"} there already, without a Pulumi.yaml`,
      next: "an empty folder: --dir NAME",
    });
  return files;
}

const names = z.record(z.string(), z.string()).default({});
const packageFile = z.looseObject({ dependencies: names, devDependencies: names });

/** What the program, Pulumi and the smoke tests load, in the versions that this was tested with. */
const dependencies = {
  "@bluegreen/components": own.version,
  "@bluegreen/release": own.version,
  "@pulumi/pulumi": own.dependencies["@pulumi/pulumi"],
  bluegreen: own.version,
  mocha: own.dependencies.mocha,
};
const devDependencies = {
  "@types/mocha": own.devDependencies["@types/mocha"],
  "@types/node": own.devDependencies["@types/node"],
  typescript: own.dependencies.typescript,
};

/**
 * Each by its path.
 * @param packageText a package.json: what it says stays
 */
export function projectFiles({ name, http }: NewProject, packageText: string): Record<string, string> {
  const has = packageFile.parse(JSON.parse(packageText));
  const described = {
    name,
    private: true,
    main: "index.ts",
    ...has,
    dependencies: { ...dependencies, ...has.dependencies },
    devDependencies: { ...devDependencies, ...has.devDependencies },
  };
  return {
    "package.json": `${JSON.stringify(described, null, 2)}\n`,
    "Pulumi.yaml": projectText(name, http),
    "index.ts": program(name),
    "tsconfig.json": `${JSON.stringify(tsconfig, null, 2)}\n`,
    "tests/smoke/app.ts": smokeTest(name),
    ".gitignore": "node_modules/\n",
  };
}

function projectText(name: string, http: NewProject["http"]): string {
  const config = {
    http,
    database: { strategy: "none" },
    connectionDrain: { timeoutSeconds: 0, port: 0 },
  };
  return [
    `name: ${name}`,
    `description: ${name}, released in two colors`,
    "runtime:",
    "  name: nodejs",
    "  options:",
    "    # Node.js takes the types out itself. Pulumi would load a compiler in every update.",
    "    typescript: false",
    "    nodeargs: --require @bluegreen/components/preload",
    "# What is the same in every stack. What a release changes is in Pulumi.STACK.yaml.",
    stringify({
      config: Object.fromEntries(Object.entries(config).map(([key, value]) => [`${name}:${key}`, { value }])),
    }),
  ].join("\n");
}

function program(name: string): string {
  return `import { BlueGreenApp, configArgs } from "@bluegreen/components";

const name = ${JSON.stringify(name)};
const app = new BlueGreenApp(name, configArgs(name));

export const { liveColor, previewPassword, previewToken } = app;
`;
}

const tsconfig = {
  compilerOptions: {
    target: "es2023",
    module: "nodenext",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node", "mocha"],
  },
  include: ["index.ts", "tests"],
};

function smokeTest(name: string): string {
  return `import { strict as assert } from "node:assert";

/** Run against a pod of the idle color before it gets traffic, and by \`bluegreen smoke\`. */
describe(${JSON.stringify(name)}, () => {
  it("answers a request", async () => {
    const answer = await fetch(new URL("/", process.env["BASE_URL"]));
    assert.ok(answer.status < 500, \`GET / answered \${answer.status}\`);
  });
});
`;
}
