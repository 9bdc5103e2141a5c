import type { Color } from "./color.js";

/**
 * Where what routes requests to the app counts them: one histogram of durations, as Prometheus collects it. Its
 * _count tells the requests, a label their status.
 */
export type RequestSeries = {
  /** Without _count, _sum and _bucket. */
  name: string;
  /** Where the durations are in other units, so many of which are a second. @default by its name */
  unit?: number;
  /** Another metric that counts the requests, by their status, where the durations do not tell it. */
  counter?: string;
  statusLabel: string;
  /**
   * What the labels of a color's series are, as regular expressions of the whole value. Where the active Service
   * is all that is routed to, both colors have the same ones, and the time of the switch tells them apart.
   */
  labels: Record<Color, Record<string, string>>;
};

/** As a part of such an expression. */
export function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
