import { colors, type Color } from "./color.js";
import { connect, type Cluster } from "./kubernetes/cluster.js";
import { orUndefined } from "./kubernetes/orUndefined.js";
import { readLiveColor } from "./live.js";
import { names, templateAnnotation } from "./names.js";
import { messageOf } from "./refusal.js";
import type { Step, Violation } from "./step.js";

export type LiveLockInputs = {
  context: string;
  namespace: string;
  app: string;
  activeColor: Color;
  /** Hash of each color's wanted pod template; null for a color that is not deployed. */
  templates: Record<Color, string | null>;
  /** Lets the live color's template change in place, as a rolling update. */
  allowLiveChange: boolean;
};

export type LiveLockOutputs = { activeColor: Color };

/**
 * The lock on what serves users: its pods may not change in place, because then nothing would be
 * left to go back to. Asked in preview, by the cluster's word, so that a pull request already fails.
 */
export const liveLock: Step<LiveLockInputs, LiveLockOutputs> = {
  async check(inputs) {
    try {
      const cluster = connect(inputs);
      const live = await readLiveColor(cluster, inputs.app);
      // Where traffic is about to leave the live color, that color changes afterwards, without users.
      return live === inputs.activeColor ? await refuseLiveChange(cluster, inputs, live) : [];
    } catch (error) {
      return [{ property: "activeColor", reason: messageOf(error) }];
    }
  },

  isNeeded: (last, inputs) =>
    Promise.resolve(
      last.activeColor !== inputs.activeColor || colors.some((color) => last.templates[color] !== inputs.templates[color]),
    ),

  run: ({ activeColor }) => Promise.resolve({ activeColor }),
};

async function refuseLiveChange(cluster: Cluster, inputs: LiveLockInputs, live: Color): Promise<Violation[]> {
  const wanted = inputs.templates[live];
  const name = names.deployment(inputs.app, live);
  if (inputs.allowLiveChange) return [];
  const deployment = await orUndefined(cluster.apps.readNamespacedDeployment({ name, namespace: inputs.namespace }));
  const running = deployment?.spec?.template.metadata?.annotations?.[templateAnnotation];
  if (running === undefined || running === wanted) return [];
  const image = deployment?.spec?.template.spec?.containers[0]?.image ?? "unknown";
  return [
    {
      property: `${live}Tag`,
      reason: `${live} serves users with ${image} and may not change in place (template ${running} → ${wanted})\n  why:  there would be nothing to go back to\n  next: put the change on the idle color and switch; or, for a rolling update of live pods: pulumi config set allowLiveChange true`,
    },
  ];
}
