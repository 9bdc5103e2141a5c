import type { ComponentChildren } from "preact";
import { ColorName } from "./mark";
import { sampleCells } from "./sampleCells";
import { dayAndTime } from "./time";
import type { Gates, Move, RolledBack, SampleView, Schema, Version } from "./views";

export interface TableProps {
  /** What it is, for whoever hears it. */
  label: string;
  head: string[];
  /** How many columns at the right hold figures. @default 0 */
  figures?: number;
  children: ComponentChildren;
}

/** A table that scrolls by itself where the page is narrower, also by keyboard. */
export function Table({ label, head, figures = 0, children }: TableProps) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((name, index) => (
              <th key={name} scope="col" class={index >= head.length - figures ? "figure" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Time({ at }: { at: string }) {
  return <time dateTime={at}>{dayAndTime(at)}</time>;
}

export function VersionName({ version }: { version: Version | null }) {
  if (version === null) return <>nothing</>;
  return (
    <span class="version">
      <ColorName color={version.color} /> <code>{version.tag}</code>
    </span>
  );
}

export function Lines({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null;
  return (
    <ul class="lines">
      {lines.map((line, index) => (
        <li key={index}>{line}</li>
      ))}
    </ul>
  );
}

export function whatMoved({ kind, weight }: Pick<Move, "kind" | "weight">): string {
  return weight < 100 ? `${kind} of ${weight} %` : kind;
}

export function HistoryTable({ label, moves }: { label: string; moves: Move[] }) {
  if (moves.length === 0) return <p>No switch has been noted yet.</p>;
  return (
    <Table label={label} head={["when", "what", "from", "to", "who", "why, and what the analysis saw"]}>
      {moves.map((move) => (
        <tr key={`${move.at} ${move.kind}`}>
          <th scope="row">
            <Time at={move.at} />
          </th>
          <td>{whatMoved(move)}</td>
          <td>
            <VersionName version={move.from} />
          </td>
          <td>
            <VersionName version={move.to} />
          </td>
          <td>{move.who}</td>
          <td>
            {move.why}
            <Lines lines={move.evidence} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** What the analysis has seen, and what of it spoke against the version. */
export function SampleTable({ label, samples }: { label: string; samples: SampleView[] }) {
  if (samples.length === 0) return <p>No sample of the analysis has been kept.</p>;
  return (
    <Table
      label={label}
      head={["sample", "what was found", "requests", "errors", "p99", "pods ready", "log errors", "score"]}
      figures={6}
    >
      {samples.map((sample) => {
        const { at, requests, errors, p99, ready, logErrors, score } = sampleCells(sample);
        return (
          <tr key={at}>
            <th scope="row">
              <Time at={at} />
            </th>
            <td>
              <Lines lines={sample.found} />
            </td>
            {[requests, errors, p99, ready, logErrors, score].map((figure, index) => (
              <td key={index} class="figure">
                {figure}
              </td>
            ))}
          </tr>
        );
      })}
    </Table>
  );
}

export function RolledBackList({ versions }: { versions: RolledBack[] }) {
  if (versions.length === 0) return <p>No version is refused because it was rolled back.</p>;
  return (
    <ul class="marks">
      {versions.map(({ at, by, reason, evidence, ...version }) => (
        <li key={`${version.color} ${version.tag}`}>
          <VersionName version={version} />: {reason}
          <Lines lines={evidence} />
          <p class="quiet">
            <Time at={at} />, {by}
          </p>
        </li>
      ))}
    </ul>
  );
}

export function GateTable({ gates }: { gates: Gates }) {
  if ("unreadable" in gates)
    return <p class="trouble">The state of the stack could not be read: {gates.unreadable}</p>;
  if (gates.passed.length === 0) return <p>No gate has been passed yet.</p>;
  return (
    <Table label="Gates" head={["gate", "what it came to"]}>
      {gates.passed.map(({ gate, result }) => (
        <tr key={gate}>
          <th scope="row">{gate}</th>
          <td>{result}</td>
        </tr>
      ))}
    </Table>
  );
}

export function SchemaTable({ label, schema }: { label: string; schema: Schema }) {
  if ("unreadable" in schema)
    return schema.notAsked === true ? (
      <p>The schema was {schema.unreadable}.</p>
    ) : (
      <p class="trouble">The schema could not be read: {schema.unreadable}</p>
    );
  const { version, migrations } = schema;
  return (
    <>
      <p>
        The schema is at <code>{version ?? "none"}</code>.{migrations.length === 0 && " Nothing is pending."}
      </p>
      {migrations.length > 0 && (
        <Table label={label} head={["migration", "phase", "state", "what there is to say"]}>
          {migrations.map(({ name, phase, state, notes }) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td>{phase}</td>
              <td>{state}</td>
              <td>
                <Lines lines={notes} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
