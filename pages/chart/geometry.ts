/** A value at a time, in milliseconds since 1970; null where there is none to tell. */
export interface Point {
  at: number;
  value: number | null;
}

export interface Frame {
  from: number;
  to: number;
  /** Of the highest value that is shown. */
  top: number;
  width: number;
  height: number;
}

/** Where a time is, from the left. */
export function across({ from, to, width }: Frame, at: number): number {
  return tenth(to === from ? width : (width * (at - from)) / (to - from));
}

/** Where a value is, from above. */
export function down({ top, height }: Frame, value: number): number {
  return tenth(height - (height * Math.min(value, top)) / top);
}

/** Nobody sees less of a pixel. */
function tenth(pixels: number): number {
  return Math.round(10 * pixels) / 10;
}

/** A line for SVG, with a gap wherever there is no value. A value alone is a dot, by round ends. */
export function linePath(points: readonly Point[], frame: Frame): string {
  let open = false;
  return points
    .flatMap(({ at, value }) => {
      if (value === null || at < frame.from || at > frame.to) {
        open = false;
        return [];
      }
      const place = `${across(frame, at)} ${down(frame, value)}`;
      const step = open ? `L${place}` : `M${place}l0 0`;
      open = true;
      return [step];
    })
    .join("");
}

/**
 * Which of some places, in their order, have room for a word until the next that has: the last ones first,
 * for they are news.
 */
export function withRoom(places: readonly number[], room: number): boolean[] {
  let next = Infinity;
  return places
    .toReversed()
    .map((place) => {
      const has = next - place >= room;
      if (has) next = place;
      return has;
    })
    .reverse();
}

/**
 * The top of a scale that has room for a value, and is 1, 2, 2.5 or 5 of a power of ten: half of it reads
 * well, too.
 */
export function scaleTop(highest: number, least: number): number {
  const wanted = Math.max(highest, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= wanted * (1 - 1e-9)) ?? 10) * power;
}
