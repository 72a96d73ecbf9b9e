import { setImmediate } from "node:timers/promises";
import { parseFilter, parseOrderBy } from "@millrace/contract/filter";
import type { Context } from "../../context.ts";
import type { Reader } from "../../db/database.ts";
import { type KeyCache, keyCache } from "../../db/queries/keys.ts";
import { existingExperiments } from "../../db/queries/experiments.ts";
import { readRunInfos, readRunItems } from "../../db/queries/run-pages.ts";
import { findRuns } from "../../db/search/search-runs.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { runsAnswer, runsText } from "./runs-json.ts";
import { checkFilterLength, deletedIn, pageSize } from "../search-request.ts";

/** As many as one statement reads. */
const RUNS_PER_PIECE = 250;
/** So many runs of a page are read with the search; what comes after them, while the client reads. */
const RUNS_AT_ONCE = 1_000;

/** Runs of the given experiments; without experiments there are none. Experiments that do not exist have no runs. */
export const searchRuns: UseCase<"searchRuns"> = async (ctx, request) => {
  const { experimentIds = [], filter = "", orderBy = [], runViewType, pageToken } = request;
  const limit = pageSize(request.maxResults ?? ctx.limits.runsPerPageDefault, ctx.limits.runsPerPageMax);
  const tree = parseFilter("runs", checkFilterLength(filter, ctx.limits));
  const order = parseOrderBy("runs", orderBy);
  const query = ["runs", experimentIds, filter, orderBy, deletedIn(runViewType)];
  const position = pageToken ? decodePageToken(ctx, query, pageToken) : undefined;
  const cache = keyCache(ctx.db);
  return ctx.db.read(async (reader) => {
    const experiments = await existingExperiments(reader, experimentIds);
    if (experiments.length === 0) return {};
    const { ids, end } = await findRuns(reader, ctx.db.dialect, cache, {
      experiments,
      filter: tree,
      order,
      deleted: deletedIn(runViewType),
      limit,
      position,
    });
    const pieces: Uint8Array[] = [];
    for (const part of partsOf(ids.slice(0, RUNS_AT_ONCE))) pieces.push(await pieceOf(reader, cache, part));
    const rest = ids.slice(RUNS_AT_ONCE);
    const later = rest.length === 0 ? undefined : laterPieces(ctx, cache, rest);
    return runsAnswer(pieces, end && encodePageToken(ctx, query, end), later);
  });
};

function* partsOf(ids: readonly number[]): Generator<readonly number[]> {
  for (let start = 0; start < ids.length; start += RUNS_PER_PIECE) {
    yield ids.slice(start, start + RUNS_PER_PIECE);
  }
}

async function pieceOf(reader: Reader, cache: KeyCache, ids: readonly number[]): Promise<Uint8Array> {
  const infos = await readRunInfos(reader, ids);
  return Buffer.from(runsText(ids, infos, await readRunItems(reader, cache, ids)));
}

/** Which runs a page holds is settled; each is told as it is when its turn comes, so that no snapshot waits for a client. */
async function* laterPieces(
  ctx: Context,
  cache: KeyCache,
  ids: readonly number[],
): AsyncGenerator<Uint8Array> {
  for (const part of partsOf(ids)) {
    // Other requests come first, however fast the client is.
    await setImmediate();
    yield await ctx.db.read((reader) => pieceOf(reader, cache, part));
  }
}
