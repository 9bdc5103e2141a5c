import type { Color } from "@bluegreen/release/app/color";
import { span } from "@bluegreen/release/analysis/summary";
import { Chart, Legend } from "../chart/chart";
import type { Point } from "../chart/geometry";
import { Table } from "../tables";
import type { LoadFigures, LoadSecond } from "./facts";

/** What kinds of clients a load has. */
const clientTitles: Record<string, string> = { short: "short connections", stream: "open stream" };

function titleOf(client: string): string {
  return clientTitles[client] ?? client;
}

/** What clients saw while traffic moved. */
export function Load({ load, moves }: { load: LoadFigures; moves: { at: string; to: { color: Color } }[] }) {
  const { requests, failures, failureTexts, phases, seconds } = load;
  const [from, to] = [
    Math.min(...seconds.map(({ second }) => second)) * 1000,
    Math.max(...seconds.map(({ second }) => second)) * 1000,
  ];
  const points = (color: Color, value: (second: LoadSecond) => number | null) =>
    seconds
      .filter((each) => each.color === color)
      .map((each): Point => ({ at: each.second * 1000, value: value(each) }));
  const series = (value: (second: LoadSecond) => number | null) => ({
    blue: points("blue", value),
    green: points("green", value),
  });
  const inSeconds = (ms: number | null) => (ms === null ? null : ms / 1000);
  const shared = {
    from,
    to,
    moves: moves.map((move) => ({ at: Date.parse(move.at), text: `→ ${move.to.color}` })),
  };
  return (
    <section>
      <h2>What clients saw</h2>
      <p class={failures === 0 ? undefined : "trouble"}>
        {requests.toLocaleString("en-US")} requests,{" "}
        {failures === 0 ? "none failed" : `${failures.toLocaleString("en-US")} failed`}.
      </p>
      {failureTexts.length > 0 && (
        <ul class="lines">
          {failureTexts.map(({ text, client, count }) => (
            <li key={`${client} ${text}`}>
              {count.toLocaleString("en-US")} × {titleOf(client)}: {text}
            </li>
          ))}
        </ul>
      )}
      {seconds.length > 0 && (
        <>
          <Legend />
          <div class="charts">
            <Chart
              title="requests answered per second"
              series={series((second) => second.requests)}
              least={10}
              text={(value) => String(Number(value.toFixed(1)))}
              {...shared}
            />
            <Chart
              title="latency, half of all (p50)"
              series={series((second) => inSeconds(second.p50Ms))}
              least={0.01}
              text={span}
              {...shared}
            />
            <Chart
              title="latency, 99 of 100 (p99)"
              series={series((second) => inSeconds(second.p99Ms))}
              least={0.05}
              text={span}
              {...shared}
            />
          </div>
        </>
      )}
      <Table
        label="Load"
        head={["while", "clients", "requests", "failed", "by blue", "by green", "p50", "p99"]}
        figures={6}
      >
        {phases.flatMap(({ title, clients }) =>
          clients.map(({ client, requests: count, failures: failed, answers, p50Ms, p99Ms }, index) => (
            <tr key={`${title} ${client}`}>
              {index === 0 && (
                <th scope="rowgroup" rowSpan={clients.length}>
                  {title}
                </th>
              )}
              <td>{titleOf(client)}</td>
              {[count, failed, answers.blue, answers.green].map((value, column) => (
                <td key={column} class="figure">
                  {value.toLocaleString("en-US")}
                </td>
              ))}
              {[p50Ms, p99Ms].map((ms, column) => (
                <td key={column} class="figure">
                  {ms === undefined ? "–" : span(ms / 1000)}
                </td>
              ))}
            </tr>
          )),
        )}
      </Table>
    </section>
  );
}
