import type { Color } from "@bluegreen/release/app/color";

/**
 * A color as a shape: blue is round, green is square. Whoever sees no color sees that, and the name is always
 * beside it.
 */
function Mark({ color }: { color: Color }) {
  return (
    <svg class={`mark ${color}`} viewBox="0 0 16 16" aria-hidden="true">
      {color === "blue" ? <circle cx="8" cy="8" r="6.5" /> : <rect x="2" y="2" width="12" height="12" />}
    </svg>
  );
}

export function ColorName({ color }: { color: Color }) {
  return (
    <span class="name">
      <Mark color={color} /> {color}
    </span>
  );
}
