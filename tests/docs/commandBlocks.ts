import { globSync, readFileSync } from "node:fs";

/** A fenced block of commands, as somebody copies it into a shell. */
export interface CommandBlock {
  page: string;
  /** Of its first command. */
  line: number;
  /** Without comments. */
  commands: string[];
}

const program = /^(?:\$EDITOR|npm|npx|pulumi|kubectl|docker|umask) /;

/**
 * All blocks of all pages. A block of commands begins with one; where output stands between, each command
 * follows a `$`.
 */
export function commandBlocks(): CommandBlock[] {
  return [...globSync("*.md"), ...globSync("docs/**/*.md")].sort().flatMap((page) => {
    const lines = readFileSync(page, "utf8").split("\n");
    const fences = lines.flatMap((text, index) => (text.trimStart().startsWith("```") ? [index] : []));
    return pairs(fences).flatMap(([from, to]): CommandBlock[] => {
      const block = lines.slice(from + 1, to).map((text) => text.trim());
      const prompted = block.filter((text) => text.startsWith("$ ")).map((text) => text.slice(2));
      const commands = (prompted.length > 0 ? prompted : block)
        .map((text) => text.replace(/ +# .*$/, ""))
        .filter((text) => text !== "");
      const isCommands = lines[from]?.trim() === "```" && program.test(commands[0] ?? "");
      return isCommands ? [{ page, line: from + 2, commands }] : [];
    });
  });
}

/**
 * Commands that stand in a sentence, with what they are given. Decisions tell of commands, and say to nobody
 * to type them.
 */
export function sentenceCommands(): { page: string; command: string }[] {
  const pages = [...globSync("*.md"), ...globSync("docs/**/*.md", { exclude: ["docs/decisions/*"] })];
  return pages.sort().flatMap((page) => {
    const text = readFileSync(page, "utf8").replaceAll(/^ *```[^]*?^ *```/gm, "");
    const commands = [...text.matchAll(/`([^`\n]+)`/g)]
      .map(([, command = ""]) => command)
      .filter((command) => program.test(command));
    return [...new Set(commands)].map((command) => ({ page, command }));
  });
}

function pairs(fences: number[]): [from: number, to: number][] {
  return fences.flatMap((from, index) => (index % 2 === 0 ? [[from, fences[index + 1] ?? from]] : []));
}
