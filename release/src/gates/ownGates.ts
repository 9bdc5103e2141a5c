import { isDeepStrictEqual } from "node:util";
import { alerting } from "../alerts/raise.js";
import { otherColor, type Color } from "../app/color.js";
import type { Gate } from "../config/gates.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { serverTime } from "../kubernetes/requests.js";
import type { RouterName } from "../routers/routers.js";
import { writeOutcome } from "../state/outcomes.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import { readCanaryWeight, isSwitchPending } from "../traffic/move.js";
import { untilInterrupted } from "../util/interrupt.js";
import { starterGone } from "../util/process.js";
import { CommandOutput } from "../util/runCommand.js";
import type { Step, Say } from "../util/step.js";
import { messageOf, UserError } from "../util/userError.js";
import { commandGate } from "./commandGate.js";
import type { GateInputs, GateKind } from "./gateKind.js";
import { jobGate } from "./jobGate.js";

export type { GateInputs };
export type GateOutputs = { outcome: string };

/** Before any pod of the template is made. */
export const gateBeforeRollout = ownGate<GateInputs>({
  hasPods: false,
  isDue: (cluster, inputs) => isRolloutDue(cluster, inputs),
  notDue: "not run: the color runs this template already",
});

/**
 * Whether pods of another template are to be made. Decided by the cluster: what the state remembers may not be
 * what runs.
 */
async function isRolloutDue(
  cluster: Cluster,
  { app, color, template }: Pick<GateInputs, "app" | "color" | "template">,
): Promise<boolean> {
  return templateOf(await readDeployment(cluster, app, color)) !== template;
}

type GateBeforeSwitchInputs = GateInputs & {
  /** The percentage of traffic that the color gets. */
  weight: number;
  /** Whose weights move; null where the active Service is all there is. */
  route: RouterName | null;
};

/** The color is ready, has passed the smoke suite, and gets no traffic yet. */
export const gateBeforeSwitch = ownGate<GateBeforeSwitchInputs>({
  hasPods: true,
  async isDue(cluster, inputs) {
    const { app, color, weight, route } = inputs;
    // Of the steps of a shift the first is the one that brings it traffic.
    if (weight < 100) return (await readCanaryWeight(cluster, app, route, otherColor(color))) === 0;
    return (await isSwitchPending(inputs)) && !isRollbackTarget(await readRelease(cluster, app), inputs);
  },
  notDue: "not run: traffic does not move, or it returns to pods that have served it",
  runsAgain: true,
});

type GateBeforeScaleDownInputs = GateInputs & {
  /** The color whose pods are to go. The gate checks the one that stays. */
  standby: Color;
};

/** The standby still has its pods, and a rollback would return traffic there. */
export const gateBeforeScaleDown = ownGate<GateBeforeScaleDownInputs>({
  hasPods: true,
  async isDue(cluster, { app, standby }) {
    return ((await readDeployment(cluster, app, standby))?.spec?.replicas ?? 0) > 0;
  },
  notDue: "not run: the standby has no pods",
  runsAgain: true,
});

interface Moment<Inputs extends GateInputs> {
  hasPods: boolean;
  /** Whether it has come. Also asked in previews. */
  isDue: (cluster: Cluster, inputs: Inputs) => Promise<boolean>;
  notDue: string;
  /** Whether it counts each time: what a gate found before another moment of its kind proves nothing. @default false */
  runsAgain?: boolean;
}

function ownGate<Inputs extends GateInputs>({
  hasPods,
  isDue,
  notDue,
  runsAgain = false,
}: Moment<Inputs>): Step<Inputs, GateOutputs> {
  return alerting(({ gate }) => `gate ${gate.name}`, {
    check: () => Promise.resolve([]),

    async isNeeded(last: Inputs & Partial<GateOutputs>, inputs: Inputs) {
      if (!runsAgain && !isOther(last, inputs)) return false;
      return isDue(connect(inputs), inputs);
    },

    async run(inputs: Inputs, say) {
      const cluster = connect(inputs);
      return sayingWhatIsLive(cluster, inputs.app, async () => ({
        outcome: (await isDue(cluster, inputs)) ? await passGate(cluster, inputs, hasPods, say) : notDue,
      }));
    },
  });
}

/** Whether what it has passed for was something else. */
function isOther(last: GateInputs, { template, gate }: GateInputs): boolean {
  return last.template !== template || !isDeepStrictEqual(last.gate, gate);
}

/** A gate of the user's has run and said no, with what it wrote last. */
export class GateError extends UserError {
  constructor(
    parts: ConstructorParameters<typeof UserError>[0],
    readonly how: string,
    readonly lines: string[],
  ) {
    super(parts);
  }
}

/** By the part of a gate's settings that asks for it. */
const kinds = {
  command: commandGate,
  job: jobGate,
} satisfies Partial<Record<keyof Gate, GateKind>>;

/** Config lets a gate have one of them. */
function kindOf({ job }: Gate): GateKind {
  return job === null ? kinds.command : kinds.job;
}

/**
 * Runs a gate's program to its end, shows what it writes as it comes, and keeps what it came to in the record of
 * the release.
 * @param hasPods whether the color's pods are there, for BASE_URL to point to
 * @returns what it came to, for people
 * @throws GateError unless it has ended with 0
 */
export async function passGate(
  cluster: Cluster,
  inputs: GateInputs,
  hasPods: boolean,
  say: Say,
): Promise<string> {
  const { app, color, version, template, gate } = inputs;
  const kind = kindOf(gate);
  const startedAt = performance.now();
  const { end, lines } = await untilInterrupted(async (interrupted) => {
    // Whoever has lost its update has lost the lock as well.
    const run = {
      cluster,
      inputs,
      hasPods,
      say,
      signal: AbortSignal.any([interrupted, starterGone()]),
    };
    const output = new CommandOutput(`gate ${gate.name}`, await kind.secrets(run), say);
    return { end: await kind.run(run, output), lines: output.lines };
  });
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  const { hasPassed, timedOut, how } = end;
  try {
    const at = (await serverTime(cluster)).toISOString();
    await writeOutcome(cluster, app, `gate.${gate.name}`, {
      template,
      version,
      hasPassed,
      how,
      seconds,
      at,
      lines,
    });
  } catch (error) {
    say(`gate ${gate.name}: its result is not in the record of the release: ${messageOf(error)}`);
  }
  if (hasPassed) return `passed in ${seconds.toFixed(1)} s`;
  throw new GateError(
    {
      ...(timedOut ? ({ code: "BG-GATE-TIMEOUT" } as const) : ({ code: "BG-GATE-FAILED" } as const)),
      what: `Gate ${gate.name} of ${color} (${version}) did not pass: its ${gate.job === null ? "command" : "Job"} ${how}`,
      rule: [`a gate passes when its program ends with code 0; ${lastWords(lines)}`, ...lines].join(
        "\n        ",
      ),
      next: nextAfter(inputs, timedOut),
    },
    how,
    lines,
  );
}

function lastWords(lines: string[]): string {
  return lines.length === 0 ? "it wrote nothing" : "it wrote last:";
}

function nextAfter({ color, gate }: GateInputs, timedOut: boolean): string {
  return `fix it and push a new image, then pulumi config set ${color}Tag TAG && pulumi up${timedOut ? `; with more time: timeoutSeconds of ${gate.name} in gates` : ""}; where the gate itself was wrong: pulumi up`;
}
