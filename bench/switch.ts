/**
 * `npm run bench:switch`: what users notice of being switched, again and again, under one constant load:
 * by this program, by a bare patch of the selector, and by a rolling update of one Deployment, in turn in one
 * run. Latencies count from the moment a request was due. Compare the ratios of one run, not figures of two
 * machines: on one machine the program, the cluster and the load share the cores.
 */
import { Option, program } from "commander";
import { UserError, messageOf } from "@bluegreen/release";
import { untilInterrupted } from "@bluegreen/release/util/interrupt";
import { bounds } from "../local/load/generator/options";
import { startStage } from "../local/stage";
import type { Task } from "../local/tasks";
import { makeStack, twoVersions } from "../local/testing/testStack";
import { runnerFor } from "./runner";
import { figuresOf, type SwitchFigures } from "./switch/figures";
import { planBlocks } from "./switch/plan";
import { runSwitches, settings } from "./switch/run";
import { show, verdicts } from "./switch/show";
import { entries, entryOf, type EntryName } from "./switch/entries";
import { wholeNumber } from "./wholeNumber";

interface Options {
  through: EntryName;
  /** By the program. */
  switches: number;
  /** By each other way. */
  beside: number;
  rate: number;
  spacing: number;
}

const app = "chatgpt-app";
/** What a switch may take beyond its spacing, and a run before and after them. */
const slackSeconds = 15;
const aroundSeconds = 600;
/** Of the load: the warm-up, and ways between that are not measured. */
const aroundLoadSeconds = 60;

async function measure(
  options: Options,
  run: (tasks: Task[]) => Promise<void>,
  signal: AbortSignal,
): Promise<SwitchFigures> {
  const { through, switches, beside, rate, spacing } = options;
  const loadSeconds = secondsOf(options);
  const bounded = AbortSignal.any([signal, AbortSignal.timeout((loadSeconds + aroundSeconds) * 1000)]);
  await startStage({ edge: through === "edge" }, run);
  const test = await makeStack(twoVersions);
  const entry = entryOf(through, test, app);
  let figures: SwitchFigures | undefined;
  try {
    await run([
      {
        title: "the app in both colors",
        run: async () => {
          await test.set({
            ...settings,
            env: { ...settings.env, REDIS_URL: test.stage.redis.url },
            ...entry.settings,
          });
          await test.stack.up({ signal: bounded });
        },
      },
      {
        title: `${rate} requests/s over ${switches} switches, and ${beside} by each other way`,
        run: async (progress) => {
          const blocks = planBlocks({ up: switches, "bare patch": beside, "rolling update": beside });
          const seen = await runSwitches(
            test,
            {
              app,
              blocks,
              rate,
              clients: [...entry.clients],
              entryPoint: await entry.open(),
              loadSeconds,
              spacingSeconds: spacing,
            },
            bounded,
            progress,
          );
          figures = figuresOf(seen.cells, seen.switches);
        },
      },
    ]);
  } finally {
    await test.remove();
  }
  if (figures === undefined) throw new Error("nothing was measured");
  return figures;
}

/** The longest that the load may run. @throws UserError where its bounds leave no room for so many switches */
function secondsOf({ switches, beside, rate, spacing }: Options): number {
  const count = switches + 2 * beside;
  const most = Math.min(bounds.seconds.seconds, Math.floor(bounds.seconds.requests / rate));
  if (count * spacing + aroundLoadSeconds > most) {
    throw new UserError({
      code: "BG-OPTION-INVALID",
      what: `${count} switches, one every ${spacing} s, under ${rate} requests/s were refused`,
      rule: `they take ${Math.ceil((count * spacing + aroundLoadSeconds) / 60)} min, and at that rate the load ends after ${Math.floor(most / 60)}`,
      next: "give a lower --rate, --switches or --beside",
    });
  }
  return Math.min(most, count * (spacing + slackSeconds) + aroundLoadSeconds);
}

async function main(): Promise<void> {
  const options = program
    .description("What users notice of being switched, again and again")
    .addOption(
      new Option("--through <entry>", "where the load comes in")
        .choices(entries)
        .default("service" satisfies EntryName),
    )
    .option("--switches <count>", "switches by the program", "6")
    .option("--beside <count>", "switches by each of the other ways", "4")
    .option("--rate <count>", "requests per second", "200")
    .option("--spacing <seconds>", "from one switch to the next, at least", "17")
    .option("--json", "figures for machines")
    .parse()
    .opts<{
      through: EntryName;
      switches: string;
      beside: string;
      rate: string;
      spacing: string;
      json?: true;
    }>();
  const chosen = {
    through: options.through,
    switches: wholeNumber("switches", options.switches, 1, 200),
    beside: wholeNumber("beside", options.beside, 0, 200),
    rate: wholeNumber("rate", options.rate, 10, 2000),
    spacing: wholeNumber("spacing", options.spacing, 10, 60),
  };
  const figures = await untilInterrupted((signal) => measure(chosen, runnerFor(options), signal));
  console.log(options.json === true ? JSON.stringify({ ...chosen, ...figures }) : `\n${show(figures)}`);
  process.exitCode = verdicts(figures).every(({ met }) => met) ? 0 : 1;
}

void main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
