/** Pages of runs are long: their JSON is written from rows, without an object for each item. */
import { encodeDouble, encodeString, RunInputs, RunOutputs, runStatuses } from "@millrace/contract";
import type { SqlValue } from "../../db/database.ts";
import type { RunItems } from "../../db/queries/run-pages.ts";
import type { RawAnswer } from "../handler.ts";

const jsonHeaders = { "Content-Type": "application/json" } as const;

const statusNames = new Map<SqlValue, string>(
  Object.entries(runStatuses).map(([name, number]) => [number, name]),
);

/**
 * The runs of a page, comma-separated, as the contract's codec would write them.
 * @param ids row ids in the order of the answer
 */
export function runsText(
  ids: readonly number[],
  infos: ReadonlyMap<number, readonly SqlValue[]>,
  items: RunItems,
): string {
  const heads = keyHeads(items.names);
  const metrics = byRun(
    items.metrics,
    ([, key, value, time, step]) =>
      `${heads.get(key!)!}${value === null ? '"NaN"' : encodeDouble(value as number)},"timestamp":${time as number},"step":${step as number | bigint}}`,
  );
  const text = ([, key, value]: readonly SqlValue[]): string =>
    `${heads.get(key!)!}${encodeString(value as string)}}`;
  const params = byRun(items.params, text);
  const tags = byRun(items.tags, text);
  const runs: string[] = [];
  for (const id of ids) {
    const info = infos.get(id);
    // Deleted for good since it was found: that happens to a long page only.
    if (info === undefined) continue;
    const data = [
      list("metrics", metrics.get(id)),
      list("params", params.get(id)),
      list("tags", tags.get(id)),
    ]
      .filter((part) => part !== "")
      .join(",");
    const linked = items.links.get(id);
    const inputs = linked === undefined ? "{}" : RunInputs.encode(linked.inputs);
    const outputs = linked === undefined ? "{}" : RunOutputs.encode(linked.outputs);
    runs.push(`{"info":${infoText(info)},"data":{${data}},"inputs":${inputs},"outputs":${outputs}}`);
  }
  return runs.join(",");
}

/**
 * A whole answer of pieces of `runsText`, as bytes: long texts stay in memory until all of it is cleared up.
 * @param later pieces that are made while the client reads
 */
export function runsAnswer(
  pieces: readonly Uint8Array[],
  nextPageToken?: string,
  later?: AsyncIterable<Uint8Array>,
): RawAnswer {
  const token = nextPageToken === undefined ? "" : `"next_page_token":${encodeString(nextPageToken)}`;
  if (pieces.length === 0) return { headers: jsonHeaders, body: `{${token}}` };
  const parts = [
    Buffer.from('{"runs":['),
    ...pieces.flatMap((piece, index) => (index === 0 ? [piece] : [separator, piece])),
  ];
  const tail = Buffer.from(token === "" ? "]}" : `],${token}}`);
  const body = later === undefined ? Buffer.concat([...parts, tail]) : streamed(parts, later, tail);
  return { headers: jsonHeaders, body };
}

const separator = Buffer.from(",");

async function* streamed(
  parts: readonly Uint8Array[],
  later: AsyncIterable<Uint8Array>,
  tail: Uint8Array,
): AsyncGenerator<Uint8Array> {
  yield* parts;
  for await (const piece of later) {
    if (piece.length === 0) continue;
    yield separator;
    yield piece;
  }
  yield tail;
}

function infoText(row: readonly SqlValue[]): string {
  const [, runId, experiment, name, userId, status, startTime, endTime, deleted, artifactUri] = row;
  const quotedId = encodeString(runId as string);
  const end = endTime === null ? "" : `,"end_time":${endTime as number}`;
  return `{"run_id":${quotedId},"run_uuid":${quotedId},"run_name":${encodeString(name as string)},"experiment_id":"${experiment as number}","user_id":${encodeString(userId as string)},"status":"${statusNames.get(status!) ?? "RUNNING"}","start_time":${startTime as number}${end},"artifact_uri":${encodeString(artifactUri as string)},"lifecycle_stage":"${deleted === 0 ? "active" : "deleted"}"}`;
}

/** `{"key":"…","value":` by key: most items share a few keys. */
function keyHeads(names: ReadonlyMap<number, string>): Map<SqlValue, string> {
  const heads = new Map<SqlValue, string>();
  for (const [key, name] of names) heads.set(key, `{"key":${encodeString(name)},"value":`);
  return heads;
}

function list(name: string, items: string | undefined): string {
  return items === undefined ? "" : `"${name}":[${items}]`;
}

/** Items by run, comma-separated. */
function byRun(
  rows: readonly SqlValue[][],
  itemOf: (row: readonly SqlValue[]) => string,
): Map<number, string> {
  const texts = new Map<number, string>();
  for (const row of rows) {
    const run = row[0] as number;
    const before = texts.get(run);
    texts.set(run, before === undefined ? itemOf(row) : `${before},${itemOf(row)}`);
  }
  return texts;
}
