/**
 * The shares that a shift still has to give, in percent. The last of them is all users, and that is a switch.
 * @param steps how many there are from nothing to all
 * @param given what the color has already: a shift that was cut off goes on from there
 */
export function sharesAfter(given: number, steps: number): number[] {
  return Array.from({ length: steps }, (_, index) => Math.round((100 * (index + 1)) / steps)).filter((share) => share > given);
}

/** Seconds of a text such as 30m, 90s or 1h30m; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const [whole, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  if (whole === undefined || whole === "") return undefined;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}
