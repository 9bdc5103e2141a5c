/**
 * `npm run pulumi -- …`: the Pulumi command line where there is one, with the same arguments; otherwise the
 * stand-in's own, for the commands this project needs.
 */
import { spawnSync } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { Command, Option } from "commander";
import { Backend } from "./backend";
import type { ResolvedConfig } from "./config";
import { findPulumi, type Outputs, type RunOptions } from "./engine";
import { EngineError, messageOf } from "./errors";
import type { Events, Step } from "./events";
import { breakLocks } from "./lock";
import { parsePath, type Path } from "./paths";
import { loadProject } from "./project";
import { nameOf } from "./urn";
import { progressLine, type Style } from "./render";
import { StandInStack } from "./standIn";

const style: Style = { color: process.stdout.isTTY && process.env["NO_COLOR"] === undefined };
const NOTICE = "(stand-in engine: no pulumi CLI on PATH; install it from https://www.pulumi.com/docs/install/ to use the real one)";
const ALL_KEYS = "all keys";

const say = (text: string): void => {
  if (text !== "") process.stdout.write(`${text}\n`);
};

interface Common {
  stack?: string;
}

interface RunFlags extends Common {
  yes?: boolean;
  skipPreview?: boolean;
  refresh?: boolean;
  parallel?: string;
  json?: boolean;
  target?: string[];
  targetDependents?: boolean;
  policyPack?: string[];
}

function backend(): Backend {
  return new Backend(loadProject(process.cwd()), process.env);
}

function stackName(flags: Common): string {
  const name = flags.stack ?? process.env["PULUMI_STACK"] ?? backend().selected;
  if (name === undefined) throw new EngineError("no stack selected; please use `stack select NAME` or pass --stack NAME (stack ls shows them, stack init NAME makes one)");
  return name;
}

function openStack(flags: Common): StandInStack {
  const name = stackName(flags);
  const known = backend();
  if (!known.exists(name)) {
    const stacks = known.stacks();
    throw new EngineError(`no stack named '${name}' found (${stacks.length > 0 ? `there are: ${stacks.join(", ")}` : "there are none"}); make it with: stack init ${name}`);
  }
  return new StandInStack({ name, workDir: process.cwd(), env: {} });
}

/** Ctrl-C once: running operations finish and the state is saved. Twice: the process ends at once. */
function interruptible(): AbortSignal {
  const controller = new AbortController();
  process.on("SIGINT", () => {
    if (controller.signal.aborted) process.exit(130);
    say("canceling: waiting for what is under way (press Ctrl-C again to end at once; the state then says what was pending)");
    controller.abort();
  });
  return controller.signal;
}

/** Progress as it happens; while something lasts, what it waits for. */
function progress(): Partial<Events> {
  const said = new Map<string, string>();
  const quiet = (step: Step): boolean => step.op === "same" || step.op === "refresh";
  return {
    started: (step) => {
      if (!quiet(step)) say(progressLine(step, "started", 0, style));
    },
    progress: (step, text) => {
      if (said.get(step.urn) === text) return;
      said.set(step.urn, text);
      say(`      ${step.name}: ${text}`);
    },
    done: (step, milliseconds) => {
      if (!quiet(step)) say(progressLine(step, "done", milliseconds, style));
    },
    failed: (step, milliseconds) => { say(progressLine(step, "failed", milliseconds, style)); },
    diagnostic: ({ severity, message, urn }) => {
      if (severity === "error") return; // said once, at the end
      say(`${severity === "info" ? "" : "warning: "}${urn === undefined ? "" : `${nameOf(urn)}: `}${message}`);
    },
  };
}

function runOptions(flags: RunFlags, events: Partial<Events>): RunOptions {
  return {
    events,
    signal: interruptible(),
    ...(flags.refresh === undefined ? {} : { refresh: flags.refresh }),
    ...(flags.parallel === undefined ? {} : { parallel: Number(flags.parallel) }),
    ...(flags.target === undefined ? {} : { targets: flags.target }),
    ...(flags.targetDependents === undefined ? {} : { targetDependents: flags.targetDependents }),
    ...(flags.policyPack === undefined ? {} : { policyPacks: flags.policyPack }),
  };
}

async function confirmed(question: string, flags: RunFlags): Promise<boolean> {
  if (flags.yes === true) return true;
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new EngineError("--yes must be passed in non-interactive mode to proceed without being asked");
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(`${question} (yes/no) `);
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

function outputsText(outputs: Outputs, showSecrets: boolean): string {
  const names = Object.keys(outputs).sort();
  const width = Math.max(0, ...names.map((name) => name.length));
  return names
    .map((name) => {
      const output = outputs[name];
      const value = output?.secret === true && !showSecrets ? "[secret]" : output?.value;
      return `    ${name.padEnd(width)}  ${typeof value === "string" ? value : JSON.stringify(value)}`;
    })
    .join("\n");
}

async function preview(flags: RunFlags): Promise<void> {
  const stack = openStack(flags);
  if (flags.json === true) {
    await previewAsJson(stack, flags);
    return;
  }
  const result = await stack.preview(runOptions(flags, {}));
  say(`Previewing update (${stack.name}) ${NOTICE}`);
  say(result.text);
}

/** What was refused is a part of the answer, as with the real CLI. */
async function previewAsJson(stack: StandInStack, flags: RunFlags): Promise<void> {
  try {
    const { steps, changes, diagnostics } = await stack.preview(runOptions(flags, {}));
    say(JSON.stringify({ steps, changeSummary: changes, diagnostics }, null, 2));
  } catch (error) {
    if (error instanceof EngineError) say(JSON.stringify({ steps: [], changeSummary: {}, diagnostics: error.diagnostics }, null, 2));
    throw error;
  }
}

async function up(flags: RunFlags): Promise<void> {
  const stack = openStack(flags);
  if (flags.skipPreview !== true) await preview({ ...flags, json: false });
  if (!(await confirmed("Do you want to perform this update?", flags))) return;
  say(`Updating (${stack.name}) ${NOTICE}`);
  const start = performance.now();
  const result = await stack.up(runOptions(flags, progress()));
  const outputs = outputsText(result.outputs, false);
  if (outputs !== "") say(`Outputs:\n${outputs}`);
  say(result.text.split("\n").at(-1) ?? "");
  say(`Duration: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

async function change(what: "refresh" | "destroy", flags: RunFlags): Promise<void> {
  const stack = openStack(flags);
  if (!(await confirmed(`Do you want to perform this ${what} of stack '${stack.name}'?`, flags))) return;
  say(`${what === "refresh" ? "Refreshing" : "Destroying"} (${stack.name}) ${NOTICE}`);
  const result = await stack[what](runOptions(flags, progress()));
  say(result.text.split("\n").at(-1) ?? "");
}

async function readStdin(): Promise<string> {
  process.stdin.setEncoding("utf8");
  let text = "";
  for await (const chunk of process.stdin) text += String(chunk);
  return text.replace(/\r?\n$/, "");
}

/** A key, and with --path the way into its structure. */
function parseKey(text: string, { path }: { path?: boolean }): { key: string; part: Path } {
  const [key, ...part] = path === true ? parsePath(text) : [text];
  return { key: String(key), part };
}

/** In a structure, what looks like a number or a flag is one; by itself every value is text. */
function typed(text: string): unknown {
  return /^(true|false|0|-?[1-9]\d*)$/.test(text) ? JSON.parse(text) : text;
}

async function configSet(text: string, value: string | undefined, flags: Common & { secret?: boolean; plaintext?: boolean; path?: boolean }): Promise<void> {
  const { key, part } = parseKey(text, flags);
  const declared = loadProject(process.cwd()).config;
  const own = key.replace(`${loadProject(process.cwd()).name}:`, "");
  // One with a colon is a value for every stack, and declares nothing.
  const names = [...declared.keys()].filter((name) => !name.includes(":"));
  if (!key.includes(":") && names.length > 0 && !names.includes(own)) {
    throw new EngineError(`configuration key '${key}' is not declared in Pulumi.yaml; it declares: ${names.join(", ")} (another package's settings have its name in front: kubernetes:${key})`);
  }
  if (declared.get(own)?.secret === true && flags.secret !== true && flags.plaintext !== true) {
    throw new EngineError(`configuration key '${key}' is secret; set it with: config set --secret ${key}`);
  }
  // Without a value it comes from stdin, so that a secret need not stand in the process list.
  const given = value ?? (await readStdin());
  const secret = flags.secret === true;
  if (part.length === 0) await openStack(flags).setConfig({ [key]: { value: given, secret } });
  else await openStack(flags).setConfigPart(key, part, { value: secret ? given : typed(given), secret });
}

function shown(config: ResolvedConfig, key: string, showSecrets: boolean): string {
  const entry = config.get(key);
  return entry?.secret === true && !showSecrets ? "[secret]" : (entry?.value ?? "");
}

async function configGet(key: string, flags: Common): Promise<void> {
  const stack = openStack(flags);
  const config = await stack.resolvedConfig();
  const full = key.includes(":") ? key : `${loadProject(process.cwd()).name}:${key}`;
  if (!config.has(full)) throw new EngineError(`configuration key '${key}' not found for stack '${stack.name}'; set it with: config set ${key} VALUE`);
  say(shown(config, full, true));
}

async function configList(flags: Common & { showSecrets?: boolean; json?: boolean }): Promise<void> {
  const config = await openStack(flags).resolvedConfig();
  const project = loadProject(process.cwd()).name;
  const rows = [...config.keys()].sort().map((key) => ({ key, value: shown(config, key, flags.showSecrets === true) }));
  if (flags.json === true) {
    say(JSON.stringify(Object.fromEntries(rows.map(({ key, value }) => [key, { value, secret: config.get(key)?.secret === true }])), null, 2));
    return;
  }
  const width = Math.max(...rows.map(({ key }) => key.length), ALL_KEYS.length);
  say(`${"KEY".padEnd(width)}  VALUE`);
  rows.forEach(({ key, value }) => { say(`${key.replace(new RegExp(`^${project}:`), "").padEnd(width)}  ${value}`); });
}

async function stackOutput(name: string | undefined, flags: Common & { json?: boolean; showSecrets?: boolean }): Promise<void> {
  const stack = openStack(flags);
  const outputs = await stack.outputs();
  const show = flags.showSecrets === true;
  const visible = Object.fromEntries(
    Object.entries(outputs).map(([key, { value, secret }]): [string, unknown] => [key, secret && !show ? "[secret]" : value]),
  );
  if (name === undefined) {
    say(flags.json === true ? JSON.stringify(visible, null, 2) : outputsText(outputs, show));
    return;
  }
  if (!(name in outputs)) throw new EngineError(`stack '${stack.name}' has no output '${name}'; it has: ${Object.keys(outputs).join(", ") || "none"}`);
  // Asked for by name, a secret is shown, as the real CLI does.
  const value = outputs[name]?.value;
  say(flags.json === true || typeof value !== "string" ? JSON.stringify(value) : value);
}

function stackInit(name: string): void {
  const known = backend();
  if (known.exists(name)) throw new EngineError(`stack '${name}' already exists; choose it with: stack select ${name}`);
  new StandInStack({ name, workDir: process.cwd(), env: {} }).ensure();
  known.select(name);
  say(`Created stack '${name}'`);
}

function stackList(): void {
  const known = backend();
  const selected = known.selected;
  known.stacks().forEach((name) => { say(name === selected ? `${name}*` : name); });
}

function stackSelect(name: string, flags: { create?: boolean }): void {
  const known = backend();
  if (!known.exists(name)) {
    if (flags.create !== true) throw new EngineError(`no stack named '${name}' found; make it with: stack init ${name}`);
    new StandInStack({ name, workDir: process.cwd(), env: {} }).ensure();
  }
  known.select(name);
}

function stackRemove(name: string): void {
  const known = backend();
  const latest = known.read(name);
  const resources = latest?.["resources"];
  if (Array.isArray(resources) && resources.length > 0) {
    throw new EngineError(`stack '${name}' still has ${resources.length} resources; remove them first with: destroy --stack ${name}`);
  }
  known.remove(name);
  say(`Stack '${name}' has been removed`);
}

async function cancel(flags: Common): Promise<void> {
  const name = stackName(flags);
  if (!(await confirmed(`This removes the lock of stack '${name}' even if an update is running. Go on?`, flags))) return;
  say(`${breakLocks(backend().lockDirectory(name))} lock(s) of stack '${name}' removed`);
}

async function unprotect(urn: string | undefined, flags: RunFlags & { all?: boolean }): Promise<void> {
  if ((urn === undefined) === (flags.all !== true)) throw new EngineError("name one resource by its URN, or all with --all: state unprotect URN");
  const stack = openStack(flags);
  if (!(await confirmed(`This lets ${urn ?? "every resource"} of stack '${stack.name}' be deleted. Go on?`, flags))) return;
  say(`${await stack.unprotect(urn)} resource(s) of stack '${stack.name}' may be deleted`);
}

const inStack = (command: Command): Command => command.option("-s, --stack <name>", "the stack, instead of the selected one");
const running = (command: Command): Command =>
  inStack(command)
    .option("-p, --parallel <number>", "how many operations at a time (default 16)")
    .option("--non-interactive", "never ask");

const targeted = (command: Command): Command =>
  command
    .option("-t, --target <urn>", "change this resource and no other; may be given more than once, and with * and **", collected)
    .option("--target-dependents", "change what depends on a target, too")
    .addOption(new Option("--policy-pack <folder>", "refuse what the policy pack in it forbids; may be given more than once").argParser(collected).env("PULUMI_OPTION_POLICY_PACK"));

function collected(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function commands(): Command {
  const program = new Command("pulumi").description(`The commands of Pulumi this project needs ${NOTICE}`).showHelpAfterError().enablePositionalOptions();
  targeted(running(program.command("preview").alias("pre").description("show what up would do")))
    .option("-j, --json", "as JSON")
    .option("--diff", "ignored: the changes are always shown")
    .action(preview);
  targeted(running(program.command("up").alias("update").description("bring everything to what the program says")))
    .option("-y, --yes", "do not ask")
    .option("-f, --skip-preview", "do not preview first")
    .option("-r, --refresh", "bring the state in line with reality first")
    .action(up);
  running(program.command("refresh").description("bring the state in line with reality"))
    .option("-y, --yes", "do not ask")
    .option("-f, --skip-preview", "ignored: there is none")
    .action((flags: RunFlags) => change("refresh", flags));
  running(program.command("destroy").alias("down").description("delete everything in the stack"))
    .option("-y, --yes", "do not ask")
    .option("-f, --skip-preview", "ignored: there is none")
    .action((flags: RunFlags) => change("destroy", flags));
  inStack(program.command("cancel").description("remove the stack's lock")).option("-y, --yes", "do not ask").action(cancel);

  // Positional: what stands behind a subcommand belongs to it, although `config` knows the same options.
  const config = inStack(program.command("config").description("the stack's settings").enablePositionalOptions())
    .option("--show-secrets", "show secrets")
    .option("-j, --json", "as JSON")
    .action(configList);
  inStack(config.command("set <key> [value]").description("set a value; without one it is read from stdin"))
    .option("--secret", "store it encrypted")
    .option("--plaintext", "store it in plain text")
    .option("--path", "the key is a path into a structure: environment.LOG_LEVEL")
    .action(configSet);
  inStack(config.command("get <key>").description("print a value")).action(configGet);
  inStack(config.command("rm <key>").description("remove a value"))
    .option("--path", "the key is a path into a structure")
    .action(async (text: string, flags: Common & { path?: boolean }) => {
      const { key, part } = parseKey(text, flags);
      await openStack(flags).removeConfig([key], part);
    });
  inStack(config.command("ls").description("list all values"))
    .option("--show-secrets", "show secrets")
    .option("-j, --json", "as JSON")
    .action(configList);

  const stack = program.command("stack").description("stacks");
  stack.command("ls").description("list them").action(stackList);
  stack.command("init <name>").description("make one").action(stackInit);
  stack.command("select <name>").description("choose one").option("-c, --create", "make it if there is none").action(stackSelect);
  stack.command("rm <name>").description("remove an empty one").option("-y, --yes", "ignored").action(stackRemove);
  inStack(stack.command("output [name]").description("its outputs"))
    .option("-j, --json", "as JSON")
    .option("--show-secrets", "show secrets")
    .action(stackOutput);
  inStack(stack.command("export").description("its state, as stack import takes it")).action(async (flags: Common) => { say(JSON.stringify(await openStack(flags).exportDeployment(), null, 4)); },
  );

  const state = program.command("state").description("the stack's state");
  inStack(state.command("unprotect [urn]").description("let a resource be deleted"))
    .option("--all", "let every resource be deleted")
    .option("-y, --yes", "do not ask")
    .action(unprotect);
  return program;
}

async function main(): Promise<void> {
  const pulumi = findPulumi();
  if (pulumi !== undefined) {
    process.exitCode = spawnSync(pulumi, process.argv.slice(2), { stdio: "inherit" }).status ?? 1;
    return;
  }
  try {
    await commands().parseAsync(process.argv);
  } catch (error) {
    process.stderr.write(`error: ${messageOf(error)}\n`);
    process.exitCode = 255;
  }
}

void main();
