import { newTable } from "../../cli/table";
import { clientTitles } from "../../local/load/table";
import { median, type Failure, type Latency, type SwitchFigures } from "./figures";
import type { Way } from "./plan";

/** What the project promises of its own way. */
const goals = { failed: 0, ratio: 1.2 };

export interface Verdict {
  what: string;
  met: boolean;
}

export function show(figures: SwitchFigures): string {
  const verdictLines = verdicts(figures)
    .map(({ what, met }) => `${met ? "met" : "MISSED"}: ${what}`)
    .join("\n");
  return [legend, latencyTable(figures), timeTable(figures), failureLines(figures), verdictLines]
    .join("\n\n")
    .replaceAll(/ +$/gm, "");
}

/** How the program did. */
export function verdicts({ ways }: SwitchFigures): Verdict[] {
  const own = ways.find(({ way }) => way === "up");
  const all = own?.rows.find(({ client }) => client === "all");
  if (own === undefined || all === undefined) return [];
  return [
    {
      what: `no request of ${whole(all.requests)} failed over ${own.commandMs.length} switches: ${whole(all.failures)}`,
      met: all.failures <= goals.failed,
    },
    {
      what: `p99 while traffic moves at most ${goals.ratio} × steady: ${times(all.ratio)}`,
      met: all.ratio !== undefined && all.ratio <= goals.ratio,
    },
  ];
}

const legend = `Milliseconds from the moment a request was due. steady: nothing is done, all traffic is on one color.
command: while the command runs. moving: the second in which the new color answers first, and the next one;
of a rolling update all until the last answer of the old one to a new connection. moving/steady: of the 99th
percentiles, all switches together, and the median of each by itself.`;

function latencyTable({ ways }: SwitchFigures): string {
  const table = newTable(
    [
      "by",
      "clients",
      "requests",
      "failed",
      "steady p50",
      "p99",
      "p99.9",
      "command p99",
      "moving p50",
      "p99",
      "p99.9",
      "moving/steady",
      "median",
    ],
    2,
  );
  for (const { way, rows } of ways) {
    rows.forEach(({ client, requests, failures, steady, command, moving, ratio, ratioMedian }, index) => {
      table.push([
        index === 0 ? way : "",
        titleOf(client),
        whole(requests),
        whole(failures),
        ...quantiles(steady),
        ms(command.p99),
        ...quantiles(moving),
        times(ratio),
        times(ratioMedian),
      ]);
    });
  }
  return table.toString();
}

function timeTable({ ways }: SwitchFigures): string {
  const table = newTable(
    [
      "by",
      "clients",
      "switches",
      "command, median s",
      "last old answer, s after the first new, median",
      "max",
    ],
    2,
  );
  for (const { way, commandMs, rows } of ways) {
    rows
      .filter(({ client }) => client !== "all")
      .forEach(({ client, lastOldMs }, index) => {
        const first = index === 0;
        table.push([
          first ? way : "",
          titleOf(client),
          first ? commandMs.length : "",
          first ? seconds(median(commandMs)) : "",
          seconds(median(lastOldMs)),
          seconds(Math.max(...lastOldMs)),
        ]);
      });
  }
  return table.toString();
}

function failureLines({ requests, failed, failures }: SwitchFigures): string {
  const where = (way: Way | undefined): string => (way === undefined ? "between the switches" : way);
  return [
    `${whole(requests)} requests in all: ${failed === 0 ? "none" : whole(failed)} failed.`,
    ...failures.map(
      ({ way, client, text, count }: Failure) =>
        `  ${whole(count)} × ${where(way)}, ${titleOf(client)}: ${text}`,
    ),
  ].join("\n");
}

function titleOf(client: keyof typeof clientTitles | "all"): string {
  return client === "all" ? "all" : clientTitles[client];
}

function quantiles({ p50, p99, p999 }: Latency): string[] {
  return [p50, p99, p999].map(ms);
}

function whole(value: number): string {
  return value.toLocaleString("en-US");
}

function ms(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(1);
}

function seconds(value: number | undefined): string {
  return value === undefined ? "-" : (value / 1000).toFixed(2);
}

function times(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(2);
}
