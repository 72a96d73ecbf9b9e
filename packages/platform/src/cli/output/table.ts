/** Tables for people: aligned, and cut to the terminal's width. Pipes get everything. */
import type { Environment } from "../../options.ts";
import type { Output } from "../io.ts";
import { colours } from "./style.ts";
import { cut, pad, visible, widthOf } from "./text.ts";

export interface Column<Row> {
  readonly header: string;
  readonly value: (row: Row) => string | number | bigint | undefined;
  readonly align?: "left" | "right";
  /** Never cut below this many columns; identifiers that are to be copied say their full length. */
  readonly widthMin?: number;
}

const GAP = "  ";
const WIDTH_MIN = 6;

/** Writes a table, or `empty` when there are no rows. */
export function writeTable<Row>(
  output: Output,
  env: Environment,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  empty: string,
): void {
  if (rows.length === 0) {
    output.write(`${empty}\n`);
    return;
  }
  const cells = rows.map((row) => columns.map(({ value }) => visible(String(value(row) ?? ""))));
  const widths = columns.map(({ header }, at) =>
    cells.reduce((width, line) => Math.max(width, widthOf(line[at]!)), widthOf(header)),
  );
  if (output.columns !== undefined) shrink(widths, columns, output.columns);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, at) => pad(cut(text, widths[at]!), widths[at]!, columns[at]!.align ?? "left"))
      .join(GAP)
      .trimEnd();
  const { bold } = colours(output, env);
  const text = [bold(line(columns.map(({ header }) => header))), ...cells.map(line)];
  output.write(`${text.join("\n")}\n`);
}

/** Takes from the widest column that may give, until all fit or none can. */
function shrink<Row>(widths: number[], columns: readonly Column<Row>[], total: number): void {
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - total;
  while (excess > 0) {
    let widest = -1;
    for (let at = 0; at < widths.length; at++) {
      const least = Math.min(columns[at]!.widthMin ?? WIDTH_MIN, widths[at]!);
      if (widths[at]! > least && (widest === -1 || widths[at]! > widths[widest]!)) widest = at;
    }
    if (widest === -1) return;
    widths[widest]!--;
    excess--;
  }
}

/** Names and values below each other. */
export function writeFacts(
  output: Output,
  env: Environment,
  facts: readonly (readonly [name: string, value: string | number | bigint | undefined])[],
): void {
  const { dim } = colours(output, env);
  const shown = facts.filter(([, value]) => value !== undefined && value !== "");
  const width = shown.reduce((most, [name]) => Math.max(most, widthOf(name)), 0);
  for (const [name, value] of shown) {
    output.write(`${dim(pad(name, width, "left"))}  ${visible(String(value))}\n`);
  }
}
