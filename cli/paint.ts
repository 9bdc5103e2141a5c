import { styleText } from "node:util";

/** Colors for a terminal, and none elsewhere or with NO_COLOR: what they mean is said in words as well. */
const painted = (color: "green" | "yellow" | "red") => (text: string) =>
  styleText(color, text, { stream: process.stdout });

export const paint = { good: painted("green"), heed: painted("yellow"), bad: painted("red") };
