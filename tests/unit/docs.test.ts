import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import type { Command } from "commander";
import { helpOf } from "@bluegreen/release/config/fields";
import { settingKeys, shape } from "@bluegreen/release/config/schema";
import { bluegreen } from "../../cli/commands";

const pages = [...globSync("*.md"), ...globSync("docs/**/*.md")].map((file) => ({
  file,
  text: readFileSync(file, "utf8"),
}));

/** Every match of all pages, with the page it is on. */
function inPages(pattern: RegExp): { file: string; groups: string[] }[] {
  return pages.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map(([, ...groups]) => ({ file, groups })),
  );
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
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Cells of all rows of all tables of a page, without heads. */
function rowsOf(file: string): string[][] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const isHead = lines[index + 1]?.startsWith("| ---") === true || line.startsWith("| ---");
    return line.startsWith("| ") && !isHead ? [line.slice(2, -2).split(" | ")] : [];
  });
}

describe("The documentation", () => {
  it("names commands and options that the program has", () => {
    const lines = inPages(/npm run (?:--silent )?bluegreen -- ([^`\n#>&|]+)/g);
    expect(lines).not.to.be.empty;
    for (const {
      file,
      groups: [line = ""],
    } of lines)
      expect(unknownIn(line), `${file}: ${line}`).to.deep.equal([]);
  });

  it("names no command that no test types", () => {
    const sources = globSync("tests/**/*.ts").map((file) => readFileSync(file, "utf8"));
    const typed = new Set(
      sources.flatMap((source) =>
        [
          ...source.matchAll(
            /(?:bluegreen|start)\(\s*(?:\w+,\s*|\{[^}]*\},\s*)*"([a-z-]+)"|bluegreen\.mjs"\), "([a-z-]+)"|\[program, "([a-z-]+)"/g,
          ),
        ].flatMap((groups) => groups.slice(1)),
      ),
    );
    const named = new Set(
      inPages(/npm run (?:--silent )?bluegreen -- ([a-z-]+)/g).map(({ groups: [name = ""] }) => name),
    );
    expect(named).not.to.be.empty;
    for (const name of named) expect([...typed], name).to.include(name);
  });

  it("names scripts that package.json has", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
      scripts: Record<string, string>;
    };
    const named = inPages(/npm run (?:--silent )?([\w:]+)/g);
    expect(named).not.to.be.empty;
    for (const {
      file,
      groups: [script = ""],
    } of named)
      expect(Object.keys(scripts), file).to.include(script);
  });

  it("sets and removes settings that there are, parts of settings included", () => {
    const settings = inPages(/config (?:set|rm) (?:--\w+ )*'?(?:[\w-]+:)?(\w+)(?:\.(\w+))?/g);
    expect(settings).not.to.be.empty;
    for (const {
      file,
      groups: [key = "", part],
    } of settings) {
      const known = settingKeys.find((each) => each === key);
      if (known === undefined) throw new Error(`${file}: ${key} is no setting`);
      // An object without any known part is free: names of variables.
      const parts = Object.keys(helpOf(shape[known]).parts ?? {});
      if (part !== undefined && parts.length > 0) expect(parts, `${file}: ${key}.${part}`).to.include(part);
    }
  });

  it("links to files and headings that there are", () => {
    const links = inPages(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g);
    expect(links).not.to.be.empty;
    for (const {
      file,
      groups: [path = "", anchor],
    } of links) {
      const target = path === "" ? file : join(dirname(file), path);
      expect(existsSync(target), `${file} → ${target}`).to.equal(true);
      if (anchor !== undefined) expect([...anchorsOf(target)], `${file} → ${target}`).to.include(anchor);
    }
  });

  it("names for each guarantee the test that shows it", () => {
    for (const file of ["docs/guarantees.md", "SECURITY.md"]) {
      const rows = rowsOf(file);
      expect(rows, file).not.to.be.empty;
      for (const row of rows) {
        const links = [...(row.at(-1) ?? "").matchAll(/\]\(([^)]+)\)/g)].map(([, path = ""]) =>
          join(dirname(file), path),
        );
        expect(links, `${file}: ${row.join(" | ")}`).not.to.be.empty;
        for (const link of links) {
          expect(link, file).to.match(/^tests\//);
          expect(existsSync(link), `${file} → ${link}`).to.equal(true);
        }
      }
    }
  });

  it("quotes in runbooks what the program says, word for word", () => {
    const said = globSync(["{release/src,cli,components}/**/*.ts", "pipeline/*"], { exclude: ["**/dist/**"] })
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
    for (const file of globSync("docs/runbooks/*.md")) {
      const quotes = rowsOf(file)
        .map(([symptom = ""]) => symptom)
        // What another program says, this one's source does not have.
        .filter((symptom) => !symptom.startsWith("Pulumi: "))
        .flatMap((symptom) => [...symptom.matchAll(/`([^`]+)`/g)].map(([, quote = ""]) => quote.trim()));
      expect(quotes, file).not.to.be.empty;
      expect(
        quotes.filter((quote) => !said.includes(quote)),
        file,
      ).to.deep.equal([]);
    }
  });
});
