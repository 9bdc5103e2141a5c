import { setTimeout as delay } from "node:timers/promises";
import { otherColor, type Color } from "@bluegreen/release";
import type { Load } from "./job";
import { lastAnswers } from "./samples";

/** How long traffic has to be on one color alone until a switch counts as over, and how long that may take. */
const quietMs = 2000;
const switchTimeoutMs = 20_000;
const pollMs = 250;

/** Waits until for some seconds all answers came from one color, whatever the kind of client. */
export async function untilSwitched(load: Load, color: Color, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + switchTimeoutMs;
  const since = Date.now();
  while (Date.now() < deadline) {
    await delay(pollMs, undefined, { signal });
    const last = lastAnswers(await load.recent());
    const newest = last.get(color) ?? 0;
    if (newest >= since + quietMs && (last.get(otherColor(color)) ?? 0) <= newest - quietMs) return;
  }
}
