/** Whether each case is tried: `npm run test:all` does, and `npm test` takes some of them. */
export const everyCase = process.env["BLUEGREEN_EVERY_CASE"] === "1";

/** Every how many points of a matrix this run stops at: at each in `npm run test:all`, at one in `n` in `npm test`. */
export function oneIn(n: number): number {
  return everyCase ? 1 : n;
}
