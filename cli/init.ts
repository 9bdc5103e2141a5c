import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { Refusal } from "@bluegreen/release";
import { routeKinds } from "@bluegreen/release/route/route";
import { parseSettings } from "@bluegreen/release/settings/settings";
import { codeOf, examineStack } from "./doctor";
import { findingsText } from "./findingsText";
import { answersOf, type Given } from "./initAnswers";
import { app, requireProject, stackPath } from "./stackConfig";

type Options = Given & { yes: boolean; overwrite: boolean };

const help = `
Asks what a first release has to know, writes Pulumi.STACK.yaml, and looks whether the cluster has what it
needs. It touches nothing in the cluster. What is given as an option is not asked.

Examples:
  npm run bluegreen -- init production
  npm run bluegreen -- init staging --yes --image-repository ghcr.io/you/app --tag v1.0.0 --host app.example.com

Exit codes: 0 written, and nothing is missing, 1 written, and what is missing stands above, 2 nothing was written.`;

export function initCommand(): Command {
  return new Command("init")
    .description("Writes the file of a new stack: asks, and checks the answers against the cluster.")
    .argument("[stack]", "its name", "production")
    .option("--image-repository <name>", "of both colors, without a tag")
    .option("--tag <tag>", "of the image that users get first, as blue")
    .option("--host <name>", "that users come by")
    .option("--namespace <name>", "that the program makes")
    .option("--context <name>", "of your kubeconfig")
    .addOption(new Option("--route <kind>", "who reads the way in").choices(routeKinds))
    .option("--ingress-class <name>", "with nginx, alb or gce")
    .option("--gateway <namespace/name>", "with gateway")
    .option("--cluster-issuer <name>", "of cert-manager, or none")
    .option("--overwrite", "write it anew where there is one; the key of its secrets stays", false)
    .option("--yes", "ask nothing: take the defaults for what is not given", false)
    .addHelpText("after", help)
    .action(run);
}

async function run(stack: string, { yes, overwrite, ...given }: Options): Promise<void> {
  const file = fileOf(stack, overwrite);
  const config = await answersOf(given, !yes && process.stdin.isTTY);
  const settings = parseSettings(config);
  await writeFile(file, textOf(config, keysIn(file)));
  console.log(`${file} is written.\n`);
  const findings = await examineStack(settings);
  console.log(`${findingsText(findings)}\n\n${next(stack)}`);
  process.exitCode = codeOf(findings);
}

function fileOf(stack: string, overwrite: boolean): string {
  requireProject();
  const file = stackPath(stack);
  const refuse = (rule: string, nextStep: string) => new Refusal({ what: `The stack ${JSON.stringify(stack)} was not written`, rule, next: nextStep });
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(stack)) throw refuse("a stack's name has letters, digits, '_', '.' and '-', at most 100", "npm run bluegreen -- init production");
  if (existsSync(file) && !overwrite && !isExample(file)) throw refuse(`${file} is there already`, `change it (pulumi config set …) and look at it: npm run bluegreen -- doctor --stack ${stack}; or write it anew: --overwrite`);
  return file;
}

const example = z.object({ config: z.looseObject({ [`${app}:imageRepository`]: z.string().startsWith("your-registry/") }) });

/** The file that comes with the program names a registry that nobody has: it waits to be written anew. */
function isExample(file: string): boolean {
  return example.safeParse(parse(readFileSync(file, "utf8"))).success;
}

const keys = z.object({ encryptionsalt: z.string().optional(), secretsprovider: z.string().optional(), encryptedkey: z.string().optional() });

/** What Pulumi needs to read the secrets of a stack, those in its state among them: it is nowhere else. */
function keysIn(file: string): z.output<typeof keys> {
  return existsSync(file) ? (keys.safeParse(parse(readFileSync(file, "utf8"))).data ?? {}) : {};
}

function textOf(config: Record<string, string>, kept: z.output<typeof keys>): string {
  const { traffic, ...texts } = config;
  const values = { ...texts, ...(traffic !== undefined && { traffic: JSON.parse(traffic) as unknown }) };
  const named = Object.fromEntries(Object.entries(values).map(([key, value]) => [`${app}:${key}`, value]));
  return `# Every setting that there is, with its meaning and its default, stands in Pulumi.yaml.\n${stringify({ ...kept, config: named })}`;
}

function next(stack: string): string {
  const steps = [
    [`pulumi stack init ${stack}`, "unless there is one; it gets the key of its secrets"],
    [`npm run bluegreen -- doctor --stack ${stack}`, "when what is missing above is there"],
    [`pulumi up --stack ${stack}`, "the first release"],
  ];
  return ["Next:", ...steps.flatMap(([command = "", purpose = ""]) => [`  ${command}`, `      ${purpose}`])].join("\n");
}
