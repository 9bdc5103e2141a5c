import { workersSelector, workerLabel } from "@bluegreen/release/app/names";
import type { Color } from "@bluegreen/release";
import type { BackgroundPods } from "@bluegreen/release/config/podSettings";
import { applyTemplate } from "@bluegreen/release/config/podTemplate/strategicMerge";
import { containersOf } from "@bluegreen/release/config/podTemplate/userTemplate";
import { isFields, type Fields } from "@bluegreen/release/util/json";
import type { PlainRecord } from "@bluegreen/release/util/step";
import { hasHttpPort } from "./podDefaults";

/** The pods of a worker or a CronJob, without the hash, which is that of its color. */
export interface BackgroundTemplate {
  selector: Record<string, string>;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  spec: PlainRecord;
}

/** What they are made of. */
interface ColorPods {
  app: string;
  color: Color;
  /** Of the color's pods. */
  spec: Fields;
  labels: Record<string, string>;
  /** Name of the app's container. */
  container: string;
  withImage: (container: Fields) => Fields;
}

/** What waits for requests. */
const ofServer = ["lifecycle", "livenessProbe", "ports", "readinessProbe", "startupProbe"];

/**
 * The pods of a color without what answers requests, and over that what config says of these: same image,
 * variables, Secrets, account and limits.
 */
export function backgroundTemplate(
  { app, color, spec, labels, container, withImage }: ColorPods,
  { name, patch, labels: own, annotations }: BackgroundPods,
): BackgroundTemplate {
  const selector = { ...workersSelector(app, color), [workerLabel]: name };
  const base = {
    ...spec,
    topologySpreadConstraints: spreadOf(spec, selector),
    containers: containersOf(spec)
      // A server in front of the app has nothing to do where the app is none.
      .filter((each) => each["name"] === container || !hasHttpPort(each))
      .map((each) => (each["name"] === container ? withoutServer(each) : each)),
  };
  const { spec: merged } = applyTemplate({ spec: base }, { spec: { ...patchOf(patch) } });
  const whole = isFields(merged) ? merged : {};
  // By it a Service of the color, and its PodDisruptionBudget, would find them.
  const others = Object.entries({ ...labels, ...own }).filter(([key]) => key !== "app");
  return {
    selector,
    labels: { ...Object.fromEntries(others), ...selector },
    annotations,
    spec: {
      ...whole,
      ...("initContainers" in whole && {
        initContainers: containersOf(whole, "initContainers").map(withImage),
      }),
      containers: containersOf(whole).map(withImage),
    } as PlainRecord,
  };
}

function patchOf({ spec }: Fields): Fields {
  return isFields(spec) ? spec : {};
}

function withoutServer(container: Fields): Fields {
  return Object.fromEntries(Object.entries(container).filter(([key]) => !ofServer.includes(key)));
}

/** The same nodes for them as for the others, each kind of pods by itself. */
function spreadOf({ topologySpreadConstraints: all }: Fields, matchLabels: Record<string, string>): Fields[] {
  return (Array.isArray(all) ? all.filter(isFields) : []).map((each) => ({
    ...each,
    labelSelector: { matchLabels },
  }));
}
