import type * as pulumi from "@pulumi/pulumi";
import { otherColor, type Color } from "@bluegreen/release/app/color";
import { names } from "@bluegreen/release/app/names";
import type { Gate, GateMoment } from "@bluegreen/release/config/gates";
import type { AppInCluster } from "./appInCluster";
import { makeStep, type StepArgs } from "./dynamicStep";
import { resourceName } from "./resourceName";

type OwnGate = "gateBeforeRollout" | "gateBeforeSwitch" | "gateAfterSwitch" | "gateBeforeScaleDown";

/** Before the pods of a color change. */
export function gatesBeforeRollout(
  app: AppInCluster,
  color: Color,
  after: pulumi.Resource[],
): pulumi.Resource[] {
  const owner = resourceName(app.settings, `${app.name}-${color}`);
  return each(app, "beforeRollout", "gateBeforeRollout", owner, checkedColor(app, color), after);
}

/** Before all traffic moves to the active color. */
export function gatesBeforeSwitch(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { activeColor } = app.settings;
  const args = { ...checkedColor(app, activeColor), weight: 100, route: app.movable };
  return each(app, "beforeSwitch", "gateBeforeSwitch", app.pulumiName, args, after);
}

/** Before the idle color gets its first canary weight. */
export function gatesBeforeShift(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { activeColor, weights } = app.settings;
  const idle = otherColor(activeColor);
  const args = { ...checkedColor(app, idle), weight: weights[idle], route: app.movable };
  return each(app, "beforeSwitch", "gateBeforeSwitch", names.shift(app.name), args, after);
}

/** Once traffic has moved. */
export function gatesAfterSwitch(
  app: AppInCluster,
  switchId: pulumi.Input<string>,
  after: pulumi.Resource[],
): pulumi.Resource[] {
  const args = {
    ...checkedColor(app, app.settings.activeColor),
    ...app.analysis,
    together: app.settings.together,
    switchId,
  };
  return each(app, "afterSwitch", "gateAfterSwitch", app.pulumiName, args, after);
}

/** Before the idle color loses its pods, where config has taken its tag. */
export function gatesBeforeScaleDown(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { activeColor } = app.settings;
  const standby = otherColor(activeColor);
  if (app.wanted[standby] !== null) return [];
  const args = { ...checkedColor(app, activeColor), standby };
  return each(app, "beforeScaleDown", "gateBeforeScaleDown", app.pulumiName, args, after);
}

function checkedColor(app: AppInCluster, color: Color) {
  const { hash: template, spec } = app.templates[color];
  const account = spec["serviceAccountName"];
  return {
    ...app.where,
    ...app.metadata,
    color,
    version: app.tagOf(color),
    template,
    account: typeof account === "string" ? account : names.account(app.name, color),
    imagePullSecrets: app.settings.imagePullSecrets,
  };
}

/** In the order of config: the first that fails keeps people from being asked for nothing. */
function each<Step extends OwnGate>(
  app: AppInCluster,
  when: GateMoment,
  step: Step,
  owner: string,
  args: Omit<StepArgs<Step>, "gate">,
  after: pulumi.Resource[],
): pulumi.Resource[] {
  return app.settings.gates
    .filter((gate) => gate.when === when)
    .reduce<pulumi.Resource[]>((made, gate: Gate) => {
      const all = { ...args, gate } as unknown as StepArgs<Step>;
      const options = { parent: app, dependsOn: [...after, ...made] };
      return [...made, makeStep(step, `${owner}-${gate.name}`, all, options)];
    }, []);
}
