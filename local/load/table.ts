import { colors } from "@bluegreen/release/app/color";
import { newTable } from "../../cli/table";
import type { ClientFigures, Figures, PhaseFigures } from "./report";

export const clientTitles = {
  short: "short connections",
  "keep-alive": "keep-alive",
  http2: "HTTP/2",
  stream: "open stream",
} as const;

/** The figures as text for people. */
export function tableOf(figures: Figures): string {
  const parts = [requestTable(figures), switchTable(figures.phases.filter(movesTraffic)), summary(figures)];
  return parts.join("\n\n").replaceAll(/ +$/gm, "");
}

/** What the load got in each phase. */
function requestTable(figures: Figures): string {
  const table = newTable(
    ["while", "clients", "requests", "failed", "by blue", "by green", "p50 ms", "p99 ms"],
    2,
  );
  for (const { title, clients } of [...figures.phases, { title: "all", clients: figures.total }]) {
    clients.forEach((row, index) => table.push([index === 0 ? title : "", ...requestCells(row)]));
  }
  return table.toString();
}

function requestCells({ client, requests, failures, answers, p50Ms, p99Ms }: ClientFigures): string[] {
  return [
    clientTitles[client],
    count(requests),
    count(failures),
    count(answers.blue),
    count(answers.green),
    milliseconds(p50Ms),
    milliseconds(p99Ms),
  ];
}

/** When each color answered first and last, from the moment that the command was given. */
function switchTable(phases: PhaseFigures[]): string {
  const table = newTable(
    [
      "seconds from the command",
      "clients",
      "command",
      "first blue",
      "last blue",
      "first green",
      "last green",
    ],
    2,
  );
  for (const { title, commandMs, clients } of phases) {
    clients.forEach(({ client, spans }, index) => {
      const times = colors.flatMap((color) => [
        seconds(spans[color]?.firstMs),
        seconds(spans[color]?.lastMs),
      ]);
      table.push([
        index === 0 ? title : "",
        clientTitles[client],
        index === 0 ? seconds(commandMs) : "",
        ...times,
      ]);
    });
  }
  return table.toString();
}

function movesTraffic({ clients }: PhaseFigures): boolean {
  return clients.some(({ answers }) => colors.every((color) => answers[color] > 0));
}

function summary({ requests, failures, failureTexts, stream }: Figures): string {
  return [
    `${count(requests)} requests and 1 stream (${count(stream.events)} events, opened again ${count(stream.reconnects)} times): ${failures === 0 ? "none" : count(failures)} failed.`,
    ...failureTexts.map(
      ({ text, client, count: times }) => `  ${count(times)} × ${clientTitles[client]}: ${text}`,
    ),
  ].join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(1);
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "-" : (ms / 1000).toFixed(2);
}
