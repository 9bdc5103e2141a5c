import type { Color } from "../app/color.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { targetsMove } from "../routers/gce.js";
import { routers, type RouterName } from "../routers/routers.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import type { Step } from "../util/step.js";
import { userErrorText } from "../util/userError.js";
import { readerOf } from "./clusterReader.js";

export type RouterGateInputs = ClusterRef & {
  app: string;
  activeColor: Color;
  /** Hash of the active color's wanted pod template. */
  template: string;
  router: RouterName;
  /** Of config; null takes the router's own. */
  ingressClass: string | null;
};

/**
 * Asks whether the controller that is there reads what the router writes. In preview too, so that a pull request
 * fails. Who may not read IngressClasses is not refused for that: doctor says it.
 */
export const routerGate: Step<RouterGateInputs, Record<string, never>> = {
  async check({ app, activeColor: color, template, router, ingressClass, ...where }, _last, say) {
    if (router === "gce") say(`traffic.router gce: ${targetsMove}`);
    const cluster = connect(where);
    const finding = await routers[router]
      .misread?.(readerOf(cluster), { ingressClass: ingressClass ?? undefined })
      .catch(() => undefined);
    if (finding === undefined || finding.state === "well") return [];
    const isBack = isRollbackTarget(await readRelease(cluster, app), { color, template });
    if (finding.state !== "broken" || isBack) {
      say(`${finding.says}; ${finding.next}`);
      return [];
    }
    return [
      {
        property: "router",
        reason: userErrorText({
          code: "BG-INGRESS-CLASS-WRONG",
          what: `traffic.router ${router} was refused`,
          rule: finding.says,
          next: finding.next,
        }),
      },
    ];
  },

  // The question is all there is to it, and it is asked in every update.
  isNeeded: () => Promise.resolve(false),
  run: () => Promise.resolve({}),
};
