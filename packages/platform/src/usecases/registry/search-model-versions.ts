import { invalidParameter } from "@millrace/contract";
import { parseFilter, parseOrderBy } from "@millrace/contract/filter";
import { readVersions } from "../../db/queries/model-versions.ts";
import { findModelVersions } from "../../db/search/model-versions.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { checkFilterLength } from "../search-request.ts";

/** Answers carry no aliases: only those for single versions do. */
export const searchModelVersions: UseCase<"searchModelVersions"> = async (ctx, request) => {
  const { filter = "", orderBy = [], pageToken } = request;
  const { modelVersionsPerPageMax } = ctx.limits;
  const { maxResults = modelVersionsPerPageMax } = request;
  if (maxResults < 1) {
    throw invalidParameter(
      `Invalid value for max_results. It must be a positive integer, but got ${maxResults}`,
      { maxResults },
    );
  }
  if (maxResults > modelVersionsPerPageMax) {
    throw invalidParameter(
      `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be at most ${modelVersionsPerPageMax}`,
      { maxResults },
    );
  }
  const tree = parseFilter("modelVersions", checkFilterLength(filter, ctx.limits));
  const order = parseOrderBy("modelVersions", orderBy);
  const query = ["model-versions", filter, orderBy];
  const position = pageToken ? decodePageToken(ctx, query, pageToken) : undefined;
  return ctx.db.read(async (reader) => {
    const { rows, end } = await findModelVersions(reader, ctx.db.dialect, {
      filter: tree,
      order,
      limit: maxResults,
      position,
    });
    const modelVersions = await readVersions(reader, rows, { aliases: false });
    return { modelVersions, nextPageToken: end && encodePageToken(ctx, query, end) };
  });
};
