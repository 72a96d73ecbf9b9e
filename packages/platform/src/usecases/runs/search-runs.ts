import { setImmediate } from "node:timers/promises";
import { parseFilter, parseOrderBy } from "@millrace/contract/filter";
import { keyCache } from "../../db/queries/keys.ts";
import { existingExperiments } from "../../db/queries/experiments.ts";
import { readRunInfos, readRunItems } from "../../db/queries/run-pages.ts";
import { findRuns } from "../../db/search/search-runs.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { runsAnswer, runsText } from "./runs-json.ts";
import { checkFilterLength, deletedIn, pageSize } from "../search-request.ts";

/** As many as one statement reads. */
const RUNS_PER_PIECE = 250;
const PIECES_PER_TURN = 4;

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
    const pieces: string[] = [];
    for (let start = 0; start < ids.length; start += RUNS_PER_PIECE) {
      // A long page lets writers and small requests pass.
      if (start > 0 && pieces.length % PIECES_PER_TURN === 0) await setImmediate();
      const part = ids.slice(start, start + RUNS_PER_PIECE);
      const infos = await readRunInfos(reader, part);
      pieces.push(runsText(part, infos, await readRunItems(reader, cache, part)));
    }
    return runsAnswer(pieces, end && encodePageToken(ctx, query, end));
  });
};
