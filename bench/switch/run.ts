import { constants, setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { otherColor, type Color } from "@bluegreen/release";
import type { Cell } from "../../local/load/generator/lines";
import type { RequestClient } from "../../local/load/generator/options";
import { removeLoad, startLoad, type EntryPoint } from "../../local/load/job";
import type { TestStack } from "../../local/testing/testStack";
import { patchSelector, selectPods } from "../patchSelector";
import type { Switch } from "./figures";
import type { Block, Way } from "./plan";
import { makeRolling } from "./rolling";

export interface RunOptions {
  app: string;
  blocks: Block[];
  rate: number;
  clients: RequestClient[];
  /** Where the load comes in; undefined: the active Service. */
  entryPoint: EntryPoint | undefined;
  /** The longest that the load may run. */
  loadSeconds: number;
  /** From one command to the next. */
  spacingSeconds: number;
}

/** Where traffic is when a run begins. */
const first: Color = "blue";

/** The app as all three ways find it. */
export const settings = {
  activeColor: first,
  blueTag: "v1",
  greenTag: "v2",
  smokeTests: "bench/gate/*.ts",
  analysis: { durationSeconds: 4, intervalSeconds: 1 },
  // What one process can use: the limit is not what is measured.
  resources: { limits: { cpu: "1", memory: "512Mi" } },
  // Patient: other work on the machine must not take a pod out of service.
  readinessProbe: { initialDelaySeconds: 0, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 5 },
  livenessProbe: { initialDelaySeconds: 2, periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 6 },
  env: {
    DRAIN_SECONDS: "1",
    SHUTDOWN_GRACE_SECONDS: "7",
    OPENAI_BASE_URL: "http://127.0.0.1:9",
    CONNECTION_MAX_AGE_SECONDS: "3",
  },
};

/** Of the app's two answers the dearer one is the rarer one: two cores carry more requests. */
const toolCallEvery = 10;
/** New processes are slow until their code is compiled: nothing is measured before. */
const warmUpMs = 10_000;
/**
 * From the end of a command to the next one at least: connections that are kept have left the old color, and
 * there is time to see the steady state.
 */
const restMs = 6000;

/**
 * Sends one constant load while traffic is moved, block after block, and returns what was seen when.
 * Nobody reads the load meanwhile: that would be measured, too.
 */
export async function runSwitches(
  test: TestStack,
  options: RunOptions,
  signal: AbortSignal,
  progress: (text: string) => void,
): Promise<{ cells: Cell[]; switches: Switch[] }> {
  const { app, blocks, rate, clients, entryPoint, loadSeconds, spacingSeconds } = options;
  const { cluster, stack } = test;
  // The program of a real release runs on a machine of its own; here it gets what the load, the app and the
  // cluster leave.
  setPriority(constants.priority.PRIORITY_LOW);
  const rolling = await makeRolling(cluster, app, first);
  const live = { color: first, rolling: first };
  const switches: Switch[] = [];
  const commands: Record<Way, (to: Color) => Promise<unknown>> = {
    up: async (to) => {
      await test.set({ activeColor: to });
      await stack.up({ signal });
    },
    "bare patch": async (to) => patchSelector(cluster, to),
    "rolling update": rolling.update,
  };
  const rest = async (ms: number): Promise<void> => delay(ms, undefined, { signal });

  /** Moves traffic and measures it. */
  const move = async (way: Way, to: Color): Promise<void> => {
    const startedAt = Date.now();
    await commands[way](to);
    const endedAt = Date.now();
    await rest(Math.max(startedAt + spacingSeconds * 1000 - endedAt, restMs));
    switches.push({ way, to, startedAt, endedAt, until: Date.now() });
  };
  const runBlock = async ({ way, switches: count }: Block, done: () => void): Promise<void> => {
    const isRolling = way === "rolling update";
    if (isRolling) {
      await selectPods(cluster, rolling.selector);
      await rest(restMs);
    }
    let color = isRolling ? live.rolling : live.color;
    for (let each = 0; each < count; each++) {
      color = otherColor(color);
      await move(way, color);
      done();
    }
    if (isRolling) live.rolling = color;
    if (way === "up") live.color = color;
    else if (isRolling || color !== live.color) {
      // Back to where the program has left users, and expects them.
      await patchSelector(cluster, live.color);
      await rest(restMs);
    }
  };

  try {
    const load = await startLoad(cluster, {
      app,
      image: `${test.stage.imageRepository}:${settings.blueTag}`,
      rate,
      seconds: loadSeconds,
      clients,
      toolCallEvery,
      output: "seconds",
      ...(entryPoint !== undefined && { entryPoint }),
    });
    await rest(warmUpMs);
    const total = blocks.reduce((sum, block) => sum + block.switches, 0);
    for (const block of blocks) {
      await runBlock(block, () => {
        progress(`${switches.length} of ${total} switches, ${block.way}`);
      });
    }
    return { cells: (await load.finish()).cells, switches };
  } finally {
    await removeLoad(cluster);
  }
}
