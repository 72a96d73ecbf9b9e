import { parseFilter, parseOrderBy } from "@millrace/contract/filter";
import { withTags } from "../../db/queries/experiments.ts";
import { findExperiments } from "../../db/search/experiments.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { checkFilterLength, deletedIn, pageSize } from "../search-request.ts";

/** Unlike other searches this one has no default for the size of a page. */
export const searchExperiments: UseCase<"searchExperiments"> = async (ctx, request) => {
  const { maxResults = 0, filter = "", orderBy = [], viewType, pageToken } = request;
  const limit = pageSize(maxResults, ctx.limits.experimentsPerPageMax);
  const tree = parseFilter("experiments", checkFilterLength(filter, ctx.limits));
  const order = parseOrderBy("experiments", orderBy);
  const deleted = deletedIn(viewType);
  const query = ["experiments", filter, orderBy, deleted];
  const position = pageToken ? decodePageToken(ctx, query, pageToken) : undefined;
  return ctx.db.read(async (reader) => {
    const { rows, end } = await findExperiments(reader, ctx.db.dialect, {
      filter: tree,
      order,
      deleted,
      limit,
      position,
    });
    const experiments = await withTags(reader, rows);
    return { experiments, nextPageToken: end && encodePageToken(ctx, query, end) };
  });
};
