import Table from "cli-table3";

/**
 * A table of aligned columns.
 * @param texts how many columns at the left hold text and not figures
 */
export function newTable(head: string[], texts: number): Table.Table {
  return new Table({
    head,
    colAligns: head.map((_, index) => (index < texts ? "left" : "right")),
    // No color and no frame: the same on a terminal, in a log and in a README.
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 2 },
    chars: {
      top: "",
      "top-mid": "",
      "top-left": "",
      "top-right": "",
      bottom: "",
      "bottom-mid": "",
      "bottom-left": "",
      "bottom-right": "",
      left: "",
      "left-mid": "",
      mid: "",
      "mid-mid": "",
      right: "",
      "right-mid": "",
      middle: "",
    },
  });
}

/** As it is printed: without blanks at the ends of lines. */
export function tableText(table: Table.Table): string {
  return table.toString().replaceAll(/ +$/gm, "");
}

/** A name, and beside it as many lines as its texts take; a name without any is left out. */
export function namedLines(rows: [name: string, texts: string[]][], width: number): string {
  return rows
    .flatMap(([name, texts]) =>
      texts
        .flatMap((text) => text.split("\n"))
        .map((text, index) => `${(index === 0 ? name : "").padEnd(width)}${text}`),
    )
    .join("\n");
}
