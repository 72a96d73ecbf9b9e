import { parseFilter, parseOrderBy } from "@millrace/contract/filter";
import { keyCache } from "../../db/queries/keys.ts";
import { existingExperiments } from "../../db/queries/experiments.ts";
import { readRunInfos, readRunItems } from "../../db/queries/run-pages.ts";
import { findRuns } from "../../db/search/search-runs.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { jsonHeaders, runsAnswer } from "./runs-json.ts";
import { checkFilterLength, deletedIn, pageSize } from "../search-request.ts";

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
    const infos = await readRunInfos(reader, ids);
    const items = await readRunItems(reader, cache, ids);
    const token = end === undefined ? undefined : encodePageToken(ctx, query, end);
    return { headers: jsonHeaders, body: runsAnswer(ids, infos, items, token) };
  });
};
