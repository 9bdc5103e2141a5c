import { tokensOf } from "../../lint/tokens.js";

const opening = new Set(["(", "["]);
const closing = new Set([")", "]"]);

/** One statement's text, read by its tokens. Places are bytes of the file, as the parser counts them. */
export class Source {
  private readonly tokens: { at: number; word: string; text: string; glued: boolean }[];

  constructor(bytes: Buffer, start: number, end: number) {
    const tokens = tokensOf(bytes.toString("utf8", start, end));
    this.tokens = tokens.map((token, index) => ({
      at: start + token.start,
      word: token.text.toUpperCase(),
      text: bytes.toString("utf8", start + token.start, start + token.end),
      glued: tokens[index - 1]?.end === token.start,
    }));
  }

  /** Where the statement itself begins, after comments before it. */
  get first(): number {
    return this.tokens[0]?.at ?? 0;
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

  /** SELECT *, which depends on every column. */
  get hasStar(): boolean {
    return this.tokens.some(({ word }) => word === "*");
  }

  /** Whether the name stands anywhere in the statement, in a function's body, too. */
  mentions(name: string): boolean {
    return this.tokens.some(({ text }) => text.includes(`"${name}"`) || text.toLowerCase().split(/[^\p{L}\p{N}_$]+/u).includes(name.toLowerCase()));
  }
}
