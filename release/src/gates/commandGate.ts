import { forwardPod } from "../kubernetes/portForward.js";
import { runCommand } from "../util/runCommand.js";
import { messageOf, UserError } from "../util/userError.js";
import { variablesOf, podToTest, type GateKind, type GateRun } from "./gateKind.js";

/** A program where Pulumi runs, in the program's folder. */
export const commandGate: GateKind = {
  secrets: ({ inputs }) => Promise.resolve(Object.values(passedOn(inputs))),

  async run(run, output) {
    const { inputs, signal } = run;
    const { command, timeoutSeconds } = inputs.gate;
    const forwarded = run.hasPods ? await forwardColor(run) : undefined;
    try {
      const ended = await runCommand(command, {
        // Of this process's environment no more than config names.
        env: {
          PATH: process.env["PATH"],
          HOME: process.env["HOME"],
          ...passedOn(inputs),
          ...variablesOf(inputs),
          ...(forwarded !== undefined && { BASE_URL: forwarded.url }),
        },
        budgetMs: timeoutSeconds * 1000,
        signal,
        onLine: output.take,
      });
      signal.throwIfAborted();
      const { code, signal: by, timedOut } = ended;
      const how = timedOut
        ? `ran out of its ${timeoutSeconds} s`
        : by === null
          ? `ended with code ${code ?? ""}`
          : `was ended by ${by}`;
      return { hasPassed: code === 0 && !timedOut, timedOut, how };
    } catch (error) {
      signal.throwIfAborted();
      return { hasPassed: false, timedOut: false, how: `could not be started (${messageOf(error)})` };
    } finally {
      forwarded?.close();
    }
  },
};

async function forwardColor({ cluster, inputs }: GateRun) {
  const pod = await podToTest(cluster, inputs, `Gate ${inputs.gate.name}`);
  return forwardPod(cluster, pod, pod.port);
}

/** By name: their values are in nobody's config. @throws UserError when one is not set */
function passedOn({ gate }: GateRun["inputs"]): Record<string, string> {
  return Object.fromEntries(
    gate.passEnv.map((name) => {
      const value = process.env[name];
      if (value !== undefined) return [name, value];
      throw new UserError({
        code: "BG-GATE-NOT-RUN",
        what: `Gate ${gate.name} was not run: variable ${name} is not set`,
        rule: "its passEnv names it, and a gate gets of the environment of pulumi what that names",
        next: `export ${name}=…, then pulumi up`,
      });
    }),
  );
}
