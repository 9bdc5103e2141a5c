import type { Color } from "@bluegreen/release/app/color";
import { timeOfDay } from "../time";
import { across, down, linePath, scaleTop, withRoom, type Frame, type Point } from "./geometry";

export interface ChartProps {
  title: string;
  /** Of each color, oldest first. */
  series: Record<Color, Point[]>;
  /** The ends of the time that is shown. */
  from: number;
  to: number;
  /** The scale reaches at least that far: noise around nothing is not to look like a mountain. */
  least: number;
  /** A value as people read it. */
  text: (value: number) => string;
  /** When traffic moved, each with a word for it. */
  moves: { at: number; text: string }[];
}

const width = 340;
const height = 150;
/** Of a word at a move of traffic. */
const wordWidth = 50;
const inside = { left: 56, top: 16, right: 14, bottom: 22 };

/** Two lines over time: blue is drawn through and ends in a circle, green is dashed and ends in a square. */
export function Chart({ title, series, from, to, least, text, moves }: ChartProps) {
  const values = [...series.blue, ...series.green].flatMap(({ at, value }) =>
    value === null || at < from ? [] : [value],
  );
  const top = scaleTop(
    values.reduce((highest, value) => Math.max(highest, value), 0),
    least,
  );
  const frame: Frame = {
    from,
    to,
    top,
    width: width - inside.left - inside.right,
    height: height - inside.top - inside.bottom,
  };
  const shown = moves
    .filter(({ at }) => at >= from && at <= to)
    .map((move) => ({ ...move, x: across(frame, move.at) }));
  const named = withRoom(
    shown.map(({ x }) => x),
    wordWidth,
  );
  const last = (color: Color) => series[color].findLast(({ at }) => at >= from && at <= to);
  const now = (color: Color) => {
    const value = last(color)?.value ?? null;
    return `${color} ${value === null ? "nothing" : text(value)}`;
  };
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${title}: at the end ${now("blue")}, ${now("green")}; the scale ends at ${text(top)}`}
      >
        <g transform={`translate(${inside.left} ${inside.top})`}>
          {[0, top / 2, top].map((value) => (
            <g key={value} class="grid">
              <line x1="0" x2={frame.width} y1={down(frame, value)} y2={down(frame, value)} />
              <text x="-8" y={down(frame, value) + 4} text-anchor="end">
                {text(value)}
              </text>
            </g>
          ))}
          <text class="tick" x="0" y={frame.height + 16}>
            {timeOfDay(from)}
          </text>
          <text class="tick" x={frame.width} y={frame.height + 16} text-anchor="end">
            {timeOfDay(to)}
          </text>
          {shown.map((move, index) => (
            <g key={move.at} class="move">
              <line x1={move.x} x2={move.x} y1="0" y2={frame.height} />
              {named[index] === true && (
                <text x={move.x} y="-5" text-anchor="end">
                  {move.text}
                </text>
              )}
            </g>
          ))}
          <Line color="blue" points={series.blue} frame={frame} />
          <Line color="green" points={series.green} frame={frame} />
        </g>
      </svg>
    </figure>
  );
}

function Line({ color, points, frame }: { color: Color; points: Point[]; frame: Frame }) {
  const end = points.findLast(({ at, value }) => value !== null && at >= frame.from && at <= frame.to);
  if (end === undefined || end.value === null) return null;
  const [x, y] = [across(frame, end.at), down(frame, end.value)];
  return (
    <g class={`line ${color}`}>
      <path d={linePath(points, frame)} />
      {color === "blue" ? (
        <circle cx={x} cy={y} r="4" />
      ) : (
        <rect x={x - 3.5} y={y - 3.5} width="7" height="7" />
      )}
    </g>
  );
}

/** Which line is whose, for all charts beside it. */
export function Legend() {
  return (
    <p class="legend">
      <svg viewBox="0 0 44 12" aria-hidden="true">
        <g class="line blue">
          <path d="M2 6L34 6" />
          <circle cx="36" cy="6" r="4" />
        </g>
      </svg>
      blue
      <svg viewBox="0 0 44 12" aria-hidden="true">
        <g class="line green">
          <path d="M2 6L34 6" />
          <rect x="32.5" y="2.5" width="7" height="7" />
        </g>
      </svg>
      green
    </p>
  );
}
