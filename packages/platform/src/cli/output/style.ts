import type { Environment } from "../../options.ts";
import type { Output } from "../io.ts";

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;
export type Style = keyof typeof codes;
export type Colours = Readonly<Record<Style, (text: string) => string>>;

/** Colours for terminals only, and not where `NO_COLOR` is set (https://no-color.org) or the terminal is dumb. */
export function colours(output: Output, env: Environment): Colours {
  const wanted = output.isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  const entries = Object.entries(codes).map(([name, [on, off]]) => [
    name,
    wanted ? (text: string) => `\u001b[${on}m${text}\u001b[${off}m` : (text: string) => text,
  ]);
  return Object.fromEntries(entries) as Colours;
}
