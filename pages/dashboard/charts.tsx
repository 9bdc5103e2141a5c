import type { Color } from "@bluegreen/release/app/color";
import { percent, span } from "@bluegreen/release/analysis/summary";
import { Chart, Legend } from "../chart/chart";
import type { Point } from "../chart/geometry";
import { ColorName } from "../mark";
import { Table } from "../tables";
import { inCluster } from "./cluster";
import { samplesMax, type ClusterState, type Figures } from "./state";

interface Measure {
  title: string;
  of: (figures: Figures) => number | null;
  least: number;
  text: (value: number) => string;
}

const measures: Measure[] = [
  {
    title: "requests per second",
    of: (figures) => figures.requestsPerSecond,
    least: 10,
    text: (value) => String(Number(value.toFixed(1))),
  },
  { title: "answers of 5xx", of: (figures) => figures.errorRatio, least: 0.05, text: percent },
  { title: "latency, half of all (p50)", of: (figures) => figures.p50Seconds, least: 0.01, text: span },
  { title: "latency, 99 of 100 (p99)", of: (figures) => figures.p99Seconds, least: 0.05, text: span },
];

const bothColors = ["blue", "green"] as const satisfies readonly Color[];

/** What both colors answer, over the last minutes, and as figures. */
export function Charts({ cluster }: { cluster: ClusterState }) {
  const { samples, moves } = cluster;
  const where = inCluster(cluster);
  const to = samples.at(-1)?.at ?? Date.now();
  const from = to - samplesMax * 1000;
  const last = samples.at(-1)?.figures;
  const points = (color: Color, measure: Measure) =>
    samples.map(({ at, figures }): Point => ({
      at,
      value: figures[color] === null ? null : measure.of(figures[color]),
    }));
  return (
    <section aria-label={`Answers${where}`}>
      <h2>What both colors answer{where}</h2>
      <Legend />
      <div class="charts">
        {measures.map((measure) => (
          <Chart
            key={measure.title}
            {...measure}
            series={{ blue: points("blue", measure), green: points("green", measure) }}
            from={from}
            to={to}
            moves={moves.map(({ at, to: color }) => ({ at, text: `→ ${color}` }))}
          />
        ))}
      </div>
      <Table
        label={`Answers of the last seconds${where}`}
        head={["last seconds", ...measures.map(({ title }) => title), "pods measured"]}
        figures={measures.length + 1}
      >
        {bothColors.map((color) => {
          const figures = last?.[color] ?? null;
          return (
            <tr key={color}>
              <th scope="row">
                <ColorName color={color} />
              </th>
              {measures.map((measure) => {
                const value = figures === null ? null : measure.of(figures);
                return (
                  <td key={measure.title} class="figure">
                    {value === null ? "–" : measure.text(value)}
                  </td>
                );
              })}
              <td class="figure">{figures === null ? "–" : `${figures.measuredPods} of ${figures.pods}`}</td>
            </tr>
          );
        })}
      </Table>
    </section>
  );
}
