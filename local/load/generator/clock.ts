/** Milliseconds since 1970, finer than Date.now() and never going back. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

export function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
