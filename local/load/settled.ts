import { setTimeout as delay } from "node:timers/promises";
import { otherColor, type Color } from "@bluegreen/release";
import type { Load } from "./job";
import { lastAnswers } from "./samples";

/** How long users have to be on one color alone until a switch counts as over, and how long that may take. */
const settledMs = 2000;
const settleTimeoutMs = 20_000;
const pollMs = 250;

/** Waits until for some seconds all answers came from one color, whatever the kind of client. */
export async function settled(load: Load, color: Color, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + settleTimeoutMs;
  const since = Date.now();
  while (Date.now() < deadline) {
    await delay(pollMs, undefined, { signal });
    const last = lastAnswers(await load.recent());
    const newest = last.get(color) ?? 0;
    if (newest >= since + settledMs && (last.get(otherColor(color)) ?? 0) <= newest - settledMs) return;
  }
}
