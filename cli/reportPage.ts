import { createHash } from "node:crypto";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { connect } from "@bluegreen/release";
import { analysisSettings } from "@bluegreen/release/config/analysisSettings";
import { readHistory, type HistoryEntry } from "@bluegreen/release/state/history";
import { isAnalyzed, readRelease, type Release } from "@bluegreen/release/state/record";
import { readReleaseStatus, type ReleaseStatusRef } from "@bluegreen/release/releases/status";
import { shownIn } from "@bluegreen/release/util/shown";
import { pagesFolder } from "./dashboard/assets";
import type { LoadFigures, ReportFacts, AnalysisFacts } from "../pages/report/facts";
import { renderReport } from "../pages/report/report";
import { readGates } from "./gates";
import { app, readStackSettings } from "./stackConfig";
import { states } from "./statusText";
import { moveView, rolledBackView, sampleView, schemaView, versionView } from "./views";

/**
 * The last release of a stack in one of its clusters, as one page of HTML.
 * @param load what clients saw meanwhile, where somebody has counted it
 * @throws whatever keeps the cluster from being read
 */
export async function makeReport(
  stack: string,
  ref: ReleaseStatusRef,
  load: LoadFigures | null,
): Promise<string> {
  const cluster = connect(ref);
  const [status, history, release, gates] = await Promise.all([
    readReleaseStatus(ref),
    readHistory(cluster, ref.app),
    readRelease(cluster, ref.app),
    readGates(stack),
  ]);
  const { app, namespace, live, schema, blockedImages } = status;
  return reportPage({
    app,
    namespace,
    stack,
    cluster: status.cluster,
    madeAt: new Date().toISOString(),
    live,
    moves: lastRelease(history).map(moveView),
    analysis: analysisFacts(release, stack),
    samples: status.samples.map(sampleView),
    gates,
    schema: schemaView(schema),
    rolledBack: rolledBackView(blockedImages),
    load,
  });
}

/** From facts alone. */
export function reportPage(facts: ReportFacts): string {
  const css = readFileSync(join(pagesFolder, "style.css"), "utf8");
  const hash = createHash("sha256").update(css).digest("base64");
  return renderReport(shownIn(facts), {
    css,
    policy: `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`,
  });
}

/** The last version that traffic was moved to, and whatever has moved it since. */
export function lastRelease(history: readonly HistoryEntry[]): readonly HistoryEntry[] {
  const last = history.findLastIndex(({ kind }) => kind !== "rollback");
  const to = history[last]?.to;
  if (to === undefined) return [];
  // The canary weights of a version before it got all traffic are of its release.
  const isPart = (entry: HistoryEntry) =>
    entry.kind === "shift" && entry.to.color === to.color && entry.to.image === to.image;
  const before = history.slice(0, last).findLastIndex((entry) => !isPart(entry));
  return history.slice(before + 1);
}

/** With limits as config has them now. */
function analysisFacts(release: Release | undefined, stack: string): AnalysisFacts | null {
  if (release === undefined) return null;
  const { limits } = analysisSettings(
    app,
    {
      ...readStackSettings(stack, [
        "analysis",
        "standbyHours",
        "canaryStepSeconds",
        "traffic",
        "connectionDrain",
        "database",
        "http",
        "namespace",
        "namespacePerColor",
        "databaseSecret",
        "preStopDelaySeconds",
      ]),
      followers: undefined,
      pods: undefined,
    },
    release,
  );
  const { durationSeconds, intervalSeconds, failureThreshold, latencySeconds, logErrors } = limits;
  return {
    kind: release.kind,
    to: versionView(release.to),
    state: states[release.state],
    limits: isAnalyzed(release, limits)
      ? { durationSeconds, intervalSeconds, failureThreshold, latencySeconds, logErrors }
      : null,
  };
}
