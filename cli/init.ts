import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Command, Option } from "commander";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { UserError } from "@bluegreen/release";
import type { Settings } from "@bluegreen/release/config/settings";
import { parseJson } from "@bluegreen/release/util/json";
import { routerNames, whichCan } from "@bluegreen/release/routers/routers";
import { adopt, type Adoption } from "./adopt/adopt";
import { adoptionText, podTemplateText } from "./adopt/adoptedText";
import { dryRun } from "./adopt/dryRun";
import type { Manifest } from "./adopt/manifests";
import { readManifests } from "./adopt/readManifests";
import { codeOf, examineStack } from "./doctor";
import { findingsText } from "./findingsText";
import { answersOf, type Given } from "./initAnswers";
import { projectHere } from "./newProject";
import { app, requireProject, rereadProject, settingsOf, stackPath } from "./stackConfig";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

type Options = Given & {
  yes: boolean;
  overwrite: boolean;
  from?: string;
  deployment?: string;
  dir?: string;
  name?: string;
  port: number;
  health: string;
};

const help = `
Asks what a first release has to know, writes Pulumi.STACK.yaml, and checks whether the cluster has what it
needs. It touches nothing in the cluster. What is given as an option is not asked. Where there is no Pulumi.yaml,
it writes a project first: Pulumi.yaml, index.ts, tsconfig.json, package.json and a smoke test.

Examples:
  ${bluegreen} init production
  ${bluegreen} init --from deployment/shop --namespace shop
  ${bluegreen} init --from shop.yaml --tag v1.0.0 --host shop.example.com
  ${bluegreen} init --dir shop --port 8080 --health /healthz
  ${bluegreen} init staging --yes --image-repository ghcr.io/you/app --tag v1.0.0 --host app.example.com

Exit codes: 0 written, and nothing is missing, 1 written, and what is missing stands above, 2 nothing was written.`;

export function initCommand(): Command {
  return new Command("init")
    .description("Writes the file of a new stack: asks, and checks the answers against the cluster.")
    .argument("[stack]", "its name", "production")
    .option(
      "--from <source>",
      "take over what runs today: deployment/NAME of the cluster, or a file of manifests",
    )
    .option("--deployment <name>", "with --from FILE: which one, where the file has several")
    .option("--dir <folder>", "of the project, made where it is missing (default: this one)")
    .option("--name <app>", "of a new project and its app (default: the folder's)")
    .addOption(
      new Option("--port <number>", "where the app of a new project listens")
        .argParser((text) => Number(text))
        .default(8080),
    )
    .option("--health <path>", "that the app of a new project answers 200 at", "/")
    .option("--image-repository <name>", "of both colors, without a tag")
    .option("--tag <tag>", "of the first image, as blue")
    .option("--host <name>", "of the app")
    .option("--namespace <name>", "that the program makes")
    .option("--context <name>", "of your kubeconfig")
    .addOption(new Option("--route <kind>", "ingress controller").choices(routerNames))
    .option("--ingress-class <name>", "with nginx, alb or gce")
    .option("--gateway <namespace/name>", `with ${whichCan(({ gateway }) => gateway !== undefined)}`)
    .option("--cluster-issuer <name>", "of cert-manager, or none")
    .option("--overwrite", "overwrite it where there is one; the key of its secrets stays", false)
    .option("--yes", "ask nothing: take the defaults for what is not given", false)
    .addHelpText("after", help)
    .action(run);
}

async function run(stack: string, { dir, ...options }: Options): Promise<void> {
  // Paths are the caller's: before another folder is entered.
  const manifests = options.from === undefined ? undefined : await readManifests(options.from, options);
  const leave = dir === undefined ? () => undefined : enter(dir);
  const { files, settings, adopted } = await prepare(stack, manifests, options).catch((error: unknown) => {
    leave();
    throw error;
  });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  const written = Object.keys(files);
  console.log(`${written.join(", ")} ${written.length > 1 ? "are" : "is"} written.\n`);
  const findings = await examineStack(settings);
  if (adopted !== undefined) findings.push({ cluster: null, ...(await dryRun(adopted, settings)) });
  console.log(`${findingsText(findings)}\n\n${next(stack)}`);
  process.exitCode = codeOf(findings);
}

/**
 * Everything that is to be written, by path: whoever stops at a question, or is told that an answer is missing,
 * finds no half of it.
 * @throws UserError where something is missing, or breaks its rule
 */
async function prepare(
  stack: string,
  manifests: Manifest[] | undefined,
  { yes, overwrite, deployment, name, port, health, ...given }: Omit<Options, "dir">,
): Promise<{ files: Record<string, string>; settings: Settings; adopted: Adoption | undefined }> {
  let project: Record<string, string> = {};
  if (!existsSync("Pulumi.yaml")) {
    const http = { port, livenessPath: health, readinessPath: health };
    const called =
      name ?? (manifests && adopt(manifests, options({ deployment })).app) ?? basename(process.cwd());
    project = projectHere({ name: called, http });
    rereadProject(project["Pulumi.yaml"]);
  }
  const file = fileOf(stack, overwrite);
  const adopted = manifests && adopt(manifests, { app, ...options({ deployment, tag: given.tag }) });
  if (adopted !== undefined) console.log(`${adoptionText(adopted)}\n`);
  if (adopted !== undefined && adopted.refused.length > 0) throw notAdoptable(adopted);
  if (adopted !== undefined && existsSync(podTemplateFile) && !overwrite) throw notOverwritten();
  const known = adopted === undefined ? given : { ...givenOf(adopted), ...given };
  const asked = await answersOf(known, !yes && process.stdin.isTTY);
  const taken = textsIn(adopted);
  // What was asked is the router; whether a client stays with a color is not.
  const traffic = { ...fieldsIn(taken["traffic"]), ...fieldsIn(asked["traffic"]) };
  const config = { ...taken, ...asked, traffic: JSON.stringify(traffic) };
  const template = adopted && { podTemplate: JSON.stringify(adopted.podTemplate) };
  return {
    // With what its file is going to say.
    settings: settingsOf({ ...config, ...template }),
    files: {
      ...project,
      ...(adopted !== undefined && { [podTemplateFile]: podTemplateText(adopted.podTemplate) }),
      [file]: textOf({ ...config, ...(adopted !== undefined && { podTemplateFile }) }, keysIn(file)),
    },
    adopted,
  };
}

/** What the manifests say is not asked. */
function givenOf({ config }: Adoption): Given {
  const { imageRepository, blueTag: tag, host, namespace, ingressClass, clusterIssuer, traffic } = config;
  const { router: route, gateway } = (traffic ?? {}) as { router?: string; gateway?: string };
  return options({
    imageRepository,
    tag,
    host,
    namespace,
    ingressClass,
    clusterIssuer,
    route,
    gateway,
  }) as Given;
}

/** Without those that nobody gave. */
function options<T extends object>(of: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof options<T>
  >;
}

function fieldsIn(text = "{}"): object {
  const fields = parseJson(text);
  return typeof fields === "object" && fields !== null ? fields : {};
}

/** As a stack's file has them. */
function textsIn(adopted: Adoption | undefined): Record<string, string> {
  if (adopted === undefined) return {};
  return Object.fromEntries(
    Object.entries(adopted.config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** Beside Pulumi.yaml: the pods of what was adopted. */
const podTemplateFile = "podTemplate.yaml";

function notOverwritten(): UserError {
  return new UserError({
    code: "BG-FILE-NOT-WRITTEN",
    what: "Nothing was written",
    rule: `${podTemplateFile} is there already`,
    next: "the same command with --overwrite",
  });
}

function notAdoptable({ refused }: Adoption): UserError {
  return new UserError({
    code: "BG-NOT-ADOPTABLE",
    what: "Nothing was written",
    rule: refused.map(({ object, field, why }) => `${object}, ${field}: ${why}`).join("; "),
    next: "change that in the manifest, then the same command",
  });
}

/**
 * From here on, a project of another folder is this process's.
 * @returns leaves it, and takes away what was not there before
 */
function enter(folder: string): () => void {
  const from = process.cwd();
  const made = mkdirSync(folder, { recursive: true });
  process.chdir(folder);
  rereadProject();
  return () => {
    process.chdir(from);
    if (made !== undefined) rmSync(made, { recursive: true });
  };
}

function fileOf(stack: string, overwrite: boolean): string {
  requireProject();
  const file = stackPath(stack);
  const refuse = (rule: string, nextStep: string) =>
    new UserError({
      code: "BG-FILE-NOT-WRITTEN",
      what: `The stack ${JSON.stringify(stack)} was not written`,
      rule,
      next: nextStep,
    });
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(stack))
    throw refuse(
      "a stack's name has letters, digits, '_', '.' and '-', at most 100",
      `${bluegreen} init production`,
    );
  if (existsSync(file) && !overwrite && !isExample(file))
    throw refuse(
      `${file} is there already`,
      `change it (pulumi config set …) and check it: ${bluegreen} doctor --stack ${stack}; or overwrite it: --overwrite`,
    );
  return file;
}

const example = z.object({
  config: z.looseObject({ [`${app}:imageRepository`]: z.string().startsWith("your-registry/") }),
});

/** The file that comes with the program names a registry that nobody has: it waits to be rewritten. */
function isExample(file: string): boolean {
  return example.safeParse(parse(readFileSync(file, "utf8"))).success;
}

const keys = z.object({
  encryptionsalt: z.string().optional(),
  secretsprovider: z.string().optional(),
  encryptedkey: z.string().optional(),
});

/** What Pulumi needs to read the secrets of a stack, those in its state among them: it is nowhere else. */
function keysIn(file: string): z.output<typeof keys> {
  return existsSync(file) ? (keys.safeParse(parse(readFileSync(file, "utf8"))).data ?? {}) : {};
}

function textOf(config: Record<string, string>, kept: z.output<typeof keys>): string {
  const named = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      `${app}:${key}`,
      /^[{[]/.test(value) ? parseJson(value) : value,
    ]),
  );
  return `# Every setting that there is, with its meaning and its default: docs/reference/settings.md\n${stringify({ ...kept, config: named })}`;
}

function next(stack: string): string {
  const steps = [
    ...(existsSync("node_modules") ? [] : [["npm install", "what the program loads"]]),
    [`pulumi stack init ${stack}`, "unless there is one; it gets the key of its secrets"],
    [`${bluegreen} doctor --stack ${stack}`, "when what is missing above is there"],
    [`pulumi up --stack ${stack}`, "the first release"],
  ];
  return [
    "Next:",
    ...steps.flatMap(([command = "", purpose = ""]) => [`  ${command}`, `      ${purpose}`]),
  ].join("\n");
}
