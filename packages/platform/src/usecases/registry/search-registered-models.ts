import { invalidParameter } from "@millrace/contract";
import { parseFilter, parseOrderBy } from "@millrace/contract/filter";
import { readRegisteredModels } from "../../db/queries/registered-models.ts";
import { findRegisteredModels } from "../../db/search/registered-models.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { checkFilterLength } from "../search-request.ts";

/** A page of no models, or fewer, is answered with a token and no models, as upstream does. */
export const searchRegisteredModels: UseCase<"searchRegisteredModels"> = async (ctx, request) => {
  const { filter = "", orderBy = [], pageToken } = request;
  const { registeredModelsPerPageDefault, registeredModelsPerPageMax } = ctx.limits;
  const { maxResults = registeredModelsPerPageDefault } = request;
  if (maxResults > registeredModelsPerPageMax) {
    throw invalidParameter(
      `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be at most ${registeredModelsPerPageMax}`,
      { maxResults },
    );
  }
  const tree = parseFilter("registeredModels", checkFilterLength(filter, ctx.limits));
  const order = parseOrderBy("registeredModels", orderBy);
  const query = ["registered-models", filter, orderBy];
  const position = pageToken ? decodePageToken(ctx, query, pageToken) : undefined;
  return ctx.db.read(async (reader) => {
    const { rows, end } = await findRegisteredModels(reader, ctx.db.dialect, {
      filter: tree,
      order,
      limit: Math.max(maxResults, 0),
      position,
    });
    const registeredModels = await readRegisteredModels(reader, rows);
    return { registeredModels, nextPageToken: end && encodePageToken(ctx, query, end) };
  });
};
