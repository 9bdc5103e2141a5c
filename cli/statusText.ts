import type { ColorStatus } from "@bluegreen/release/releases/colorStatus";
import { attention, type LastSwitch, type ReleaseStatus } from "@bluegreen/release/releases/status";
import { percent } from "@bluegreen/release/analysis/summary";
import { describeRun } from "@bluegreen/release/state/liveNote";
import { shownIn } from "@bluegreen/release/util/shown";
import { paint } from "./paint";
import { namedLines, newTable, tableText } from "./table";
import { wholeSeconds } from "./wholeSeconds";
import { tagOf } from "./tagOf";
import { sampleCells } from "../pages/sampleCells";

/** Of the longest name, and two blanks. */
const nameWidth = 13;

/** The whole of it, for somebody who asks once. */
export function statusText(read: ReleaseStatus): string {
  const status = shownIn(read);
  const { app, namespace, cluster, live } = status;
  const sections = [
    `${app} in ${namespace}${cluster === null ? "" : ` of ${cluster}`}: ${live === null ? "no color is live yet" : `traffic is on ${live}`}`,
    colorTable(status.colors),
    namedLines(
      [
        ["workers", workerLines(status)],
        ["cron jobs", cronJobLines(status)],
        ["schema", schemaLines(status)],
        ["last switch", switchLines(status.lastSwitch)],
        ["analysis", sampleLines(status)],
        ["live color", observedLines(status)],
        ["rollback", rollbackLines(status)],
        ["blocked", blockedLines(status)],
        ["attention", attention(status).map(paint.heed)],
      ],
      nameWidth,
    ),
  ];
  return sections.join("\n\n");
}

/** The same in a line, for a log. */
export function statusLine(read: ReleaseStatus): string {
  const status = shownIn(read);
  const { cluster, live, colors, schema, rollback } = status;
  const parts = colors.map(
    ({ color, role, image, ready, wanted, weight }) =>
      `${color} ${role}${image === null ? "" : ` ${tagOf(image)} ${ready}/${wanted}`}${weight > 0 && weight < 100 ? ` ${weight} %` : ""}`,
  );
  const found = attention(status);
  return [
    ...(cluster === null ? [] : [cluster]),
    `live ${live ?? "none"}`,
    ...parts,
    `schema ${"version" in schema ? (schema.version ?? "none") : "unknown"}`,
    `rollback ${rollback.possible ? "possible" : "not possible"}`,
    ...status.samples.slice(-1).map(({ line }) => line),
    ...(found.length > 0 ? [`attention: ${found.join(" ")}`] : []),
  ]
    .join(" · ")
    .replaceAll("\n", " ");
}

function colorTable(colors: ColorStatus[]): string {
  const text = newTable(["color", "role", "image", "traffic", "ready"], 3);
  for (const { color, role, image, weight, ready, wanted } of colors)
    text.push([color, role, image === null ? "none" : tagOf(image), `${weight} %`, `${ready} of ${wanted}`]);
  return tableText(text);
}

function workerLines({ workers = [] }: ReleaseStatus): string[] {
  return workers
    .filter(({ wanted, planned }) => wanted + planned > 0)
    .map(({ color, name, ready, wanted }) => `${name} of ${color}: ${ready} of ${wanted} ready`);
}

function cronJobLines({ cronJobs = [] }: ReleaseStatus): string[] {
  return cronJobs
    .filter(({ suspended, running }) => !suspended || running > 0)
    .map(
      ({ color, name, suspended, running }) =>
        `${name} of ${color}: ${suspended ? "suspended" : "starts Jobs"}${running > 0 ? `, ${running} run` : ""}`,
    );
}

function schemaLines({ schema }: ReleaseStatus): string[] {
  if ("unreadable" in schema)
    return [schema.notAsked === true ? schema.unreadable : `could not be read: ${schema.unreadable}`];
  return [
    schema.version ?? "none",
    ...schema.pending.map(
      ({ id, name, phase, state, notes }) => `${id}_${name} (${phase}): ${state}, ${notes.join("; ")}`,
    ),
  ];
}

/** What has become of a move of traffic, in words. */
export const states: Record<LastSwitch["state"], string> = {
  approved: "let through by the gates, not noted yet",
  analyzing: "under analysis by the update",
  standby: "under analysis by the controller in the cluster",
  kept: "kept: the analysis is over",
  rolledBack: "rolled back",
};

function switchLines(last: LastSwitch | null): string[] {
  if (last === null) return ["none"];
  const { kind, weight, at, from, to, who, why, state } = last;
  const what = `${kind === "shift" ? `${weight} % of traffic` : kind} to ${to.color} ${tagOf(to.image)}${from === null ? "" : ` from ${from.color} ${tagOf(from.image)}`}`;
  return [`${wholeSeconds(at)}  ${what}`, `by ${who}: ${why}`, states[state]];
}

/** Of the last ones; all of them are in --json and in the report. */
const shownSamples = 5;

function sampleLines({ samples }: ReleaseStatus): string[] {
  if (samples.length === 0) return [];
  const text = newTable(["at", "requests", "errors", "p99", "ready", "log errors", "score"], 1);
  for (const sample of samples.slice(-shownSamples)) {
    const { at, requests, errors, p99, ready, logErrors, score } = sampleCells(sample);
    text.push([at.slice(11, 19), requests, errors, p99, ready, logErrors, score]);
  }
  const against = samples
    .slice(-shownSamples)
    .flatMap(({ findings }) =>
      findings.filter((finding) => finding.points > 0).map((finding) => finding.text),
    );
  return [tableText(text), ...against.map(paint.heed)];
}

function observedLines({ observed }: ReleaseStatus): string[] {
  if (observed === null) return [];
  const { color, from, at, state, requests, errorRatio, runs, reason, evidence } = observed;
  const [begin, end] = [from, at].map(wholeSeconds);
  const served = requests === null ? "requests unknown" : `${requests} requests`;
  const errors = errorRatio === null ? "" : `, ${percent(errorRatio)} errors`;
  return [
    `${color}, beside an update, ${begin} to ${end}${state === "observing" ? ", which continues or was cut off" : ""}: ${served}${errors}${state === "unharmed" ? ", no harm seen" : ""}`,
    ...runs.map(
      (run) => `${describeRun(run)}${run.failed.length === 0 ? "" : ` (${run.failed.join("; ")})`}`,
    ),
    ...(state === "harmed" ? [`harmed: ${reason}`, ...evidence].map(paint.heed) : []),
  ];
}

function rollbackLines({ rollback }: ReleaseStatus): string[] {
  return rollback.possible
    ? [`${paint.good("possible")}, to ${rollback.to}`]
    : [`${paint.heed("not possible")}: ${rollback.why}`];
}

function blockedLines({ blockedImages }: ReleaseStatus): string[] {
  return blockedImages.map(
    ({ color, image, reason, at, by }) => `${color} ${tagOf(image)}: ${reason} (${wholeSeconds(at)}, ${by})`,
  );
}
