import { parseHeader, type MigrationHeader } from "../sql/header.js";
import { loadGrammar, parseSql, type RawStatement } from "../sql/parse.js";
import { Source } from "../sql/source.js";
import { messageOf, UserError } from "../util/userError.js";
import { commandsOf } from "./commands.js";
import { Known } from "./known.js";
import { effectOf } from "./effects.js";
import { locksOf } from "./locks.js";
import { fileRules, rules } from "./registry.js";
import type { FileRule, Phase, Statement } from "./rule.js";
import { isSetting } from "./rules/settings.js";

export interface SqlFile {
  /** As findings name it. */
  file: string;
  sql: string;
}

export interface Finding extends Position {
  file: string;
  rule: string;
  reason: string;
  /** SQL to write instead, with the names of this place. */
  recipe: string;
  /** The lock, who waits for it and for how long; undefined where it is not about locks. */
  effect: string | undefined;
  /** Of the file; undefined where its header does not say. */
  phase: Phase | undefined;
  /** The line it is in. */
  excerpt: string;
}

/**
 * The ends of a batch, in a backfill. Each becomes a parameter of the same length, so that everything stays
 * in its place.
 */
const rangePlaceholder = /(?<![:\w]):(first|last)\b/g;

/**
 * What in these migrations would break or stop the version that serves users.
 * @param files in the order in which they are applied: each is checked with what those before it have made
 */
export async function lint(files: SqlFile[]): Promise<Finding[]> {
  await loadGrammar();
  const known = new Known();
  const found = new Map<SqlFile, Finding[]>();
  // The ways down come last, and the latest first, as they are gone: what they undo is there for the migrations
  // after theirs.
  for (const file of [
    ...files.filter(({ file }) => !isDown(file)),
    ...files.filter(({ file }) => isDown(file)).reverse(),
  ])
    found.set(file, lintFile(file, known));
  return files.flatMap((file) => found.get(file) ?? []);
}

function isDown(file: string): boolean {
  return file.endsWith(".down.sql");
}

function lintFile({ file, sql }: SqlFile, known: Known): Finding[] {
  const bytes = Buffer.from(sql);
  const positions = new Positions(bytes);
  let phase: Phase | undefined;
  const finding = (
    { name, reason }: { name: string; reason: string },
    recipe: string,
    position: Position,
  ): Finding => ({
    file,
    ...position,
    rule: name,
    reason,
    recipe,
    effect: effectOf(name),
    phase,
    excerpt: positions.excerpt(position),
  });
  const fileFinding = (rule: FileRule, position: Position, reason = rule.reason) =>
    finding({ name: rule.name, reason }, rule.recipe, position);

  const found: Finding[] = [];
  const header = readHeader(file, sql);
  if ("refused" in header)
    found.push(fileFinding(fileRules.header, { line: header.line, column: 1 }, header.refused));
  else phase = header.phase;
  const parsed = parseSql(
    "batch" in header
      ? sql.replace(rangePlaceholder, (name) => (name === ":first" ? "$1" : "$2").padEnd(name.length))
      : sql,
    bytes,
  );
  if ("error" in parsed) {
    found.push(fileFinding(fileRules.syntax, positions.at(parsed.at), parsed.error));
    return found;
  }
  known.startFile();
  // Without a header there is no telling what is right; what the file makes is known to the next ones all the
  // same.
  if ("refused" in header) {
    for (const { node, start, end } of parsed.statements) known.add(node, new Source(bytes, start, end));
    return found;
  }
  if (header.batch !== undefined) known.addKey(header.batch.table.split("."), header.batch.key);
  const assured = new Map(header.assurances.map(({ rule }) => [rule, 0]));
  for (const statement of statementsOf(parsed.statements, bytes, header, known)) {
    for (const rule of rules) {
      if (!rule.phases.includes(header.phase)) continue;
      for (const { at, recipe } of rule.find(statement)) {
        const times = assured.get(rule.name);
        if (times === undefined) found.push(finding(rule, recipe, positions.at(at)));
        else assured.set(rule.name, times + 1);
      }
    }
  }
  for (const { rule, line } of header.assurances) {
    const position = { line, column: 1 };
    if (!rules.some(({ name }) => name === rule))
      found.push(fileFinding(fileRules.unknownAssurance, position));
    else if (assured.get(rule) === 0) found.push(fileFinding(fileRules.unneededAssurance, position));
  }
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Each statement with what is known when it runs: the caller checks it before the next one is asked for. */
function* statementsOf(
  raw: RawStatement[],
  bytes: Buffer,
  { phase, transaction }: MigrationHeader,
  known: Known,
): Generator<Statement> {
  const besideLiveDdl = locksLiveRelation(raw, bytes);
  let before = 0;
  for (const [index, each] of raw.entries()) {
    const source = new Source(bytes, each.start, each.end);
    yield {
      ...each,
      source,
      commands: commandsOf(each, bytes),
      known,
      phase,
      inTransaction: transaction,
      before,
      after: () => raw.slice(index + 1),
      locks: locksOf(each.node, known),
      besideLiveDdl,
    };
    known.add(each.node, source);
    if (!isSetting(each.node)) before++;
  }
}

function locksLiveRelation(raw: RawStatement[], bytes: Buffer): boolean {
  const made = new Known();
  for (const { node, start, end } of raw) made.add(node, new Source(bytes, start, end));
  return made.held.size > 0;
}

function readHeader(file: string, sql: string): MigrationHeader | { refused: string; line: number } {
  try {
    if (!isDown(file)) return parseHeader(file, sql);
    // A way down has no phase: what it drops, no version uses.
    const header = parseHeader(file, `-- phase: contract\n${sql}`);
    return { ...header, assurances: header.assurances.map((each) => ({ ...each, line: each.line - 1 })) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const line = Number(/(?::|\bline )(\d+)/.exec(error.message)?.[1] ?? 1) - (isDown(file) ? 1 : 0);
    return { refused: messageOf(error), line: Math.max(1, line) };
  }
}

/** Where in a file: both count from 1, columns in characters. */
interface Position {
  line: number;
  column: number;
}

/** Excerpts of longer lines are cut around the column: a minified file is one line. */
const excerptLength = 120;

/** Places in a text, found from offsets in its UTF-8 bytes. */
class Positions {
  private readonly lineStarts = [0];
  /** For every byte, how many characters start before it. */
  private readonly charactersBefore: Uint32Array;

  constructor(private readonly bytes: Buffer) {
    this.charactersBefore = new Uint32Array(bytes.length + 1);
    let characters = 0;
    for (let at = 0; at < bytes.length; at++) {
      this.charactersBefore[at] = characters;
      const byte = bytes[at] ?? 0;
      // 10xxxxxx continues a character.
      if ((byte & 0xc0) !== 0x80) characters++;
      if (byte === 0x0a) this.lineStarts.push(at + 1);
    }
    this.charactersBefore[bytes.length] = characters;
  }

  at(offset: number): Position {
    const line = this.lineOf(offset);
    return { line, column: this.charactersAt(offset) - this.charactersAt(this.startOf(line)) + 1 };
  }

  /** The line, without its end, and at most some characters around the column. */
  excerpt({ line, column }: Position): string {
    const next = this.lineStarts[line];
    const from = this.startOf(line);
    const to = next === undefined ? this.bytes.length : next - 1;
    // Four bytes are the longest character: enough of a long line without decoding all of it.
    const reach = 4 * excerptLength;
    const near = Math.max(from, Math.min(this.byteNear(from, column), to));
    const characters = Array.from(
      this.bytes
        .toString("utf8", Math.max(from, near - reach), Math.min(to, near + reach))
        .replace(/\r$/, ""),
    );
    if (characters.length <= excerptLength) return characters.join("");
    const middle = Array.from(this.bytes.toString("utf8", Math.max(from, near - reach), near)).length;
    const start = Math.max(0, Math.min(middle - 20, characters.length - excerptLength));
    return `${start > 0 || near - reach > from ? "…" : ""}${characters.slice(start, start + excerptLength).join("")}…`;
  }

  /** The byte of a column: not before it, and found by halving. */
  private byteNear(from: number, column: number): number {
    const wanted = this.charactersAt(from) + column - 1;
    let low = from;
    let high = this.bytes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.charactersAt(middle) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private lineOf(offset: number): number {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  private startOf(line: number): number {
    return this.lineStarts[line - 1] ?? 0;
  }

  private charactersAt(offset: number): number {
    return this.charactersBefore[Math.min(offset, this.bytes.length)] ?? 0;
  }
}
