/** Where in a file: both count from 1, columns in characters. */
export interface Position {
  line: number;
  column: number;
}

/** Excerpts of longer lines are cut around the column: a minified file is one line. */
const excerptLength = 120;

/** Places in a text, found from offsets in its UTF-8 bytes. */
export class Positions {
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
