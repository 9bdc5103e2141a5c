import { renderToString } from "preact-render-to-string";
import { span } from "@bluegreen/release/analysis/summary";
import { ColorName } from "../mark";
import {
  GateTable,
  HistoryTable,
  RolledBackList,
  SampleTable,
  SchemaTable,
  Time,
  VersionName,
  whatMoved,
} from "../tables";
import type { SampleView } from "../views";
import type { ReportFacts, AnalysisFacts } from "./facts";
import { Load } from "./load";
import { verdictOf } from "./verdict";

export interface Assets {
  /** The style sheet, ours. */
  css: string;
  /** Of the page's content security policy: what of it may be used. */
  policy: string;
}

/** A release as a page that needs nothing beside itself. Whatever others have written stays text in it. */
export function renderReport(facts: ReportFacts, assets: Assets): string {
  return `<!doctype html>\n${renderToString(<Report facts={facts} assets={assets} />)}\n`;
}

function Report({ facts, assets: { css, policy } }: { facts: ReportFacts; assets: Assets }) {
  const { app, namespace, stack, cluster, madeAt, moves, analysis, gates, schema, rolledBack, load } = facts;
  const [release] = moves;
  const { tone, text } = verdictOf(facts);
  const what =
    release === undefined ? app : `${app}, ${whatMoved(release)} to ${release.to.color} ${release.to.tag}`;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="content-security-policy" content={policy} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{what}</title>
        <link rel="icon" href="data:," />
        <style dangerouslySetInnerHTML={{ __html: css }} />
      </head>
      <body>
        <header>
          <h1>{what}</h1>
          <p class="quiet">
            stack <strong>{stack}</strong>, namespace <strong>{namespace}</strong>
            {cluster !== null && (
              <>
                , cluster <strong>{cluster}</strong>
              </>
            )}
          </p>
        </header>
        <main>
          <p class={`verdict ${tone}`}>{text}</p>
          {release !== undefined && (
            <dl>
              <dt>traffic</dt>
              <dd>
                from <VersionName version={release.from} /> to <VersionName version={release.to} />
              </dd>
              <dt>when</dt>
              <dd>
                <Time at={release.at} />
              </dd>
              <dt>who</dt>
              <dd>{release.who}</dd>
              <dt>why</dt>
              <dd>{release.why}</dd>
              <dt>now on</dt>
              <dd>{facts.live === null ? "no color" : <ColorName color={facts.live} />}</dd>
            </dl>
          )}
          <section>
            <h2>Timeline</h2>
            <HistoryTable label="Timeline" moves={moves} />
          </section>
          {load !== null && <Load load={load} moves={moves} />}
          <section>
            <h2>Gates, when they were last passed</h2>
            <GateTable gates={gates} />
          </section>
          {analysis !== null && <Analysis analysis={analysis} samples={facts.samples} />}
          <section>
            <h2>Schema</h2>
            <SchemaTable label="Migrations" schema={schema} />
          </section>
          <section>
            <h2>Versions that were rolled back</h2>
            <RolledBackList versions={rolledBack} />
          </section>
          <p class="quiet">
            Made at <Time at={madeAt} />, from the history, the notes and the state of the release.
          </p>
        </main>
      </body>
    </html>
  );
}

function Analysis({
  analysis: { kind, to, limits, state },
  samples,
}: {
  analysis: AnalysisFacts;
  samples: SampleView[];
}) {
  return (
    <section>
      <h2>The analysis of the last move</h2>
      <p>
        {kind} to <VersionName version={to} />: {state}
      </p>
      {limits !== null && (
        <p class="quiet">
          Analyzed for {span(limits.durationSeconds)}, read every {span(limits.intervalSeconds)};{" "}
          {limits.failureThreshold} points end it. Slow is an average or a p99 above{" "}
          {span(limits.latencySeconds)}; up to {limits.logErrors} errors in the logs between two readings are
          let pass.
        </p>
      )}
      <SampleTable label="Samples of the analysis" samples={samples} />
    </section>
  );
}
