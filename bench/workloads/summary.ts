import type { RepeatedLoad } from "../load/drive.ts";
import type { Measurement } from "../session.ts";

/** What every timed load reports beside its value: percentiles, noise and wrong answers. */
export function evidence(result: RepeatedLoad): Pick<Measurement, "detail" | "errors" | "firstError"> {
  return {
    detail: `${result.latenciesMs.toString()}, spread of repetitions ${(result.spread * 100).toFixed(0)} %`,
    errors: result.errors,
    firstError: result.firstError,
  };
}

/** Says the size where it is not the one that the figure's title names. */
export function sizeNote(size: number, nominal: number, noun: string): string | undefined {
  return size === nominal ? undefined : `at ${size.toLocaleString("en-US")} ${noun}`;
}
