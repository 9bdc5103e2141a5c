import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import type { Command } from "commander";
import { parse } from "yaml";
import { settingKeys } from "@bluegreen/release/settings/settings";
import { bluegreen } from "../../cli/commands";

const pages = [...globSync("*.md"), ...globSync("docs/**/*.md")].map((file) => ({ file, text: readFileSync(file, "utf8") }));

/** Every match of all pages, with the page it is on. */
function inPages(pattern: RegExp): { file: string; groups: string[] }[] {
  return pages.flatMap(({ file, text }) => [...text.matchAll(pattern)].map(([, ...groups]) => ({ file, groups })));
}

/** What of a command line, without its values, the program does not know. */
function unknownIn(line: string): string[] {
  const words = line.trim().split(/\s+/);
  const descend = (commands: readonly Command[]): { command: Command | undefined; unknown: string[] } => {
    const command = commands.find((each) => each.name() === words[0]);
    if (command === undefined) return { command, unknown: [words[0] ?? "(no command)"] };
    words.shift();
    return command.commands.length === 0 ? { command, unknown: [] } : descend(command.commands);
  };
  const { command, unknown } = descend(bluegreen().commands);
  const options = words.filter((word) => word.startsWith("--"));
  return [...unknown, ...options.filter((option) => command?.options.every(({ long }) => long !== option))];
}

/** Headings as links name them. */
function anchorsOf(file: string): Set<string> {
  const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(headings.map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")));
}

describe("The documentation", () => {
  it("names commands and options that the program has", () => {
    const lines = inPages(/npm run (?:--silent )?bluegreen -- ([^`\n#>&|]+)/g);
    expect(lines).not.to.be.empty;
    for (const { file, groups: [line = ""] } of lines) expect(unknownIn(line), `${file}: ${line}`).to.deep.equal([]);
  });

  it("names no command that no test types", () => {
    const sources = globSync("tests/**/*.ts").map((file) => readFileSync(file, "utf8"));
    const typed = new Set(sources.flatMap((source) => [...source.matchAll(/(?:bluegreen|start)\((?:\w+, |\{[^}]*\}, )*"([a-z-]+)"|bluegreen\.mjs"\), "([a-z-]+)"|\[program, "([a-z-]+)"/g)].flatMap((groups) => groups.slice(1))));
    const named = new Set(inPages(/npm run (?:--silent )?bluegreen -- ([a-z-]+)/g).map(({ groups: [name = ""] }) => name));
    expect(named).not.to.be.empty;
    for (const name of named) expect([...typed], name).to.include(name);
  });

  it("names scripts that package.json has", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
    const named = inPages(/npm run (?:--silent )?([\w:]+)/g);
    expect(named).not.to.be.empty;
    for (const { file, groups: [script = ""] } of named) expect(Object.keys(scripts), file).to.include(script);
  });

  it("sets and removes settings that there are, parts of settings included", () => {
    const { config } = parse(readFileSync("Pulumi.yaml", "utf8")) as { config: Record<string, { default: unknown }> };
    const settings = inPages(/config (?:set|rm) (?:--\w+ )*'?(?:[\w-]+:)?(\w+)(?:\.(\w+))?/g);
    expect(settings).not.to.be.empty;
    for (const { file, groups: [key = "", part] } of settings) {
      expect(settingKeys, file).to.include(key);
      const parts = Object.keys(config[key]?.default ?? {});
      // An object without any by default is free: names of variables.
      if (part !== undefined && parts.length > 0) expect(parts, `${file}: ${key}.${part}`).to.include(part);
    }
  });

  it("links to files and headings that there are", () => {
    const links = inPages(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g);
    expect(links).not.to.be.empty;
    for (const { file, groups: [path = "", anchor] } of links) {
      const target = path === "" ? file : join(dirname(file), path);
      expect(existsSync(target), `${file} → ${target}`).to.equal(true);
      if (anchor !== undefined) expect([...anchorsOf(target)], `${file} → ${target}`).to.include(anchor);
    }
  });
});
