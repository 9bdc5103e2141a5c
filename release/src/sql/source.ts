import { tokensOf } from "./parse.js";

const opening = new Set(["(", "["]);
const closing = new Set([")", "]"]);

interface Token {
  at: number;
  end: number;
  word: string;
  text: string;
  glued: boolean;
}

/** One statement's text, read by its tokens. Places are bytes of the file, as the parser counts them. */
export class Source {
  private read: Token[] | undefined;

  constructor(
    private readonly bytes: Buffer,
    private readonly start: number,
    private readonly stop: number,
  ) {}

  /** Where the statement itself begins, after comments before it. */
  get first(): number {
    return this.tokens[0]?.at ?? this.start;
  }

  /** Where it ends, before a semicolon and comments after it. */
  get end(): number {
    return this.tokens.at(-1)?.end ?? this.start;
  }

  get text(): string {
    return this.slice(this.first, this.end);
  }

  /** Another statement of the same file. */
  of(start: number, stop: number): Source {
    return new Source(this.bytes, start, stop);
  }

  slice(from: number, to: number): string {
    return this.bytes.toString("utf8", from, to).trim();
  }

  /** The statement with other text at a place, and the rest of it as it is written. */
  with(text: string, from: number, to = from): string {
    return (
      this.slice(this.first, from) +
      (text === "" ? "" : ` ${text}`) +
      (to < this.end ? ` ${this.slice(to, this.end)}` : "")
    );
  }

  /**
   * What begins at a place, as it is written there and without comments, to the comma or
   * parenthesis that ends it, to one of the places in `stops`, or to one of the words.
   */
  from(at: number, stops: number[], ...words: string[]): string {
    let depth = 0;
    let text = "";
    for (const token of this.tokens) {
      if (token.at < at) continue;
      if (depth === 0 && text !== "" && (stops.includes(token.at) || words.includes(token.word))) break;
      if (opening.has(token.word)) depth++;
      if (closing.has(token.word)) depth--;
      if (depth < 0 || (depth === 0 && (token.word === "," || token.word === ";"))) break;
      text += text === "" || token.glued ? token.text : ` ${token.text}`;
    }
    return text;
  }

  /** The place after the first such word from a place on. */
  after(word: string, at: number): number {
    const index = this.tokens.findIndex((token) => token.at >= at && token.word === word);
    return this.tokens[index + 1]?.at ?? at;
  }

  /** The first such word from a place on. */
  find(word: string, at = this.start): Omit<Token, "glued"> | undefined {
    return this.tokens.find((token) => token.at >= at && token.word === word);
  }

  /** The last such word outside of all parentheses. */
  outer(word: string): Omit<Token, "glued"> | undefined {
    let depth = 0;
    let found: Token | undefined;
    for (const token of this.tokens) {
      if (opening.has(token.word)) depth++;
      if (closing.has(token.word)) depth--;
      if (depth === 0 && token.word === word) found = token;
    }
    return found;
  }

  /** The end of the parenthesis that opens first from a place on. */
  closeOf(at: number): number | undefined {
    let depth = 0;
    for (const token of this.tokens) {
      if (token.at < at) continue;
      if (opening.has(token.word)) depth++;
      if (closing.has(token.word) && --depth === 0) return token.end;
    }
    return undefined;
  }

  /** SELECT *, which depends on every column. */
  get hasStar(): boolean {
    return this.tokens.some(({ word }) => word === "*");
  }

  /** Whether the name stands anywhere in the statement, in a function's body, too. */
  mentions(name: string): boolean {
    return this.tokens.some(
      ({ text }) =>
        text.includes(`"${name}"`) ||
        text
          .toLowerCase()
          .split(/[^\p{L}\p{N}_$]+/u)
          .includes(name.toLowerCase()),
    );
  }

  private get tokens(): Token[] {
    this.read ??= tokensOf(this.bytes.toString("utf8", this.start, this.stop)).map((token, index, all) => ({
      at: this.start + token.start,
      end: this.start + token.end,
      word: token.text.toUpperCase(),
      text: this.bytes.toString("utf8", this.start + token.start, this.start + token.end),
      glued: all[index - 1]?.end === token.start,
    }));
    return this.read;
  }
}
