import type { RunInputs, RunOutputs } from "@millrace/contract";
import type { Reader } from "../database.ts";

export interface RunLinks {
  readonly inputs: RunInputs;
  readonly outputs: RunOutputs;
}

/** Data sets and models that runs read and made, by row id of the run. */
export async function readInputs(_reader: Reader, _runs: readonly number[]): Promise<Map<number, RunLinks>> {
  return new Map();
}
