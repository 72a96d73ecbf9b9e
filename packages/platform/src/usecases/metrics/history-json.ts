/** Histories are long: their JSON is written from columns, without an object for each point. */
import { encodeDouble, encodeString } from "@millrace/contract";
import type { Points } from "../../db/chunks/points.ts";

/** The items of a metrics list, from index `start` up to `end`, comma-separated. */
export function historyItems(
  points: Points,
  key: string,
  start: number,
  end: number,
  runId?: string,
): string {
  const { steps, timestampsMs, values } = points;
  const head = `{"key":${encodeString(key)},"value":`;
  const tail = runId === undefined ? "}" : `,"run_id":${encodeString(runId)}}`;
  const items: string[] = [];
  for (let i = start; i < end; i++) {
    items.push(
      `${head}${encodeDouble(values[i]!)},"timestamp":${timestampsMs[i]!},"step":${steps[i]!}${tail}`,
    );
  }
  return items.join(",");
}

/** The items at the given indices. */
export function sampledItems(points: Points, key: string, indices: Uint32Array, runId: string): string {
  const { steps, timestampsMs, values } = points;
  const head = `{"key":${encodeString(key)},"value":`;
  const tail = `,"run_id":${encodeString(runId)}}`;
  const items: string[] = [];
  for (const i of indices) {
    items.push(
      `${head}${encodeDouble(values[i]!)},"timestamp":${timestampsMs[i]!},"step":${steps[i]!}${tail}`,
    );
  }
  return items.join(",");
}

export const jsonHeaders = { "Content-Type": "application/json" } as const;

/** A whole answer; an empty list is left out. */
export function historyAnswer(items: string, nextPageToken?: string): string {
  const token = nextPageToken === undefined ? "" : `"next_page_token":${encodeString(nextPageToken)}`;
  if (items === "") return `{${token}}`;
  return `{"metrics":[${items}]${token === "" ? "" : `,${token}`}}`;
}
