import type { Gate } from "../config/gates.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { commandGate } from "./commandGate.js";
import { serverTime } from "../kubernetes/serverTime.js";
import type { GateInputs, GateKind } from "./gateKind.js";
import { writeOutcome } from "../state/outcomes.js";
import { jobGate } from "./jobGate.js";
import { CommandOutput } from "../util/commandOutput.js";
import { untilInterrupted } from "../util/interrupt.js";
import { starterGone } from "../util/processMark.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Say } from "../util/step.js";

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
 * @param hasPods whether the color's pods are there, for BASE_URL to lead to
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
