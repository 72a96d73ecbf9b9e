/** Runs as a table of columns, with the names that MLflow's data frames have. */
import type { Run } from "@millrace/client/node";
import { csvLine } from "./csv.ts";

const infoColumns = ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"] as const;
const groups = ["metrics", "params", "tags"] as const;

/** Lines of the file, the header first. All runs must be known before: each may bring columns of its own. */
export function* runsCsv(runs: readonly Run[]): Generator<string> {
  const keys = groups.map((group) => {
    const found = new Set<string>();
    for (const { data } of runs) for (const { key } of data[group]) found.add(key);
    return [...found].sort();
  });
  yield csvLine([
    ...infoColumns,
    ...groups.flatMap((group, at) => keys[at]!.map((key) => `${group}.${key}`)),
  ]);
  for (const { info, data } of runs) {
    const values = groups.flatMap((group, at) => {
      const known = new Map<string, string | number>(data[group].map(({ key, value }) => [key, value]));
      return keys[at]!.map((key) => known.get(key));
    });
    yield csvLine([
      info.runId,
      info.experimentId,
      info.status,
      info.artifactUri,
      utcTime(info.startTime),
      utcTime(info.endTime),
      ...values,
    ]);
  }
}

function utcTime(timeMs: number | undefined): string {
  if (timeMs === undefined || timeMs === 0) return "";
  return new Date(timeMs).toISOString().replace("T", " ").replace("Z", "+00:00");
}
