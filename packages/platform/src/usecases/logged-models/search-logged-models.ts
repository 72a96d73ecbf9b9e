import { invalidParameter } from "@millrace/contract";
import { checkLoggedModelOrder, parseFilter } from "@millrace/contract/filter";
import { existingExperiments } from "../../db/queries/experiments.ts";
import { readLoggedModels } from "../../db/queries/logged-models.ts";
import { findLoggedModels } from "../../db/search/logged-models.ts";
import type { UseCase } from "../handler.ts";
import { decodePageToken, encodePageToken } from "../page-token.ts";
import { checkFilterLength } from "../search-request.ts";

/** 0 asks for the default; a negative size is answered with a token and no models, as upstream does. */
export const searchLoggedModels: UseCase<"searchLoggedModels"> = async (ctx, request) => {
  const { experimentIds, filter = "", datasets = [], orderBy = [], pageToken } = request;
  const { loggedModelsPerPageDefault, loggedModelsPerPageMax } = ctx.limits;
  const limit = Math.min(
    Math.max(request.maxResults || loggedModelsPerPageDefault, 0),
    loggedModelsPerPageMax,
  );
  if (datasets.some(({ datasetName }) => datasetName === "")) {
    throw invalidParameter("`dataset_name` in the `datasets` clause must be specified.");
  }
  const tree = parseFilter("loggedModels", checkFilterLength(filter, ctx.limits));
  const order = checkLoggedModelOrder(
    orderBy.map(({ fieldName, ascending, datasetName, datasetDigest }) => ({
      field_name: fieldName,
      ascending,
      dataset_name: datasetName,
      dataset_digest: datasetDigest,
    })),
  );
  const query = ["logged-models", experimentIds, filter, datasets, orderBy];
  const position = pageToken ? decodePageToken(ctx, query, pageToken) : undefined;
  return ctx.db.read(async (reader) => {
    const experiments = await existingExperiments(reader, experimentIds);
    if (experiments.length === 0) return {};
    const { rows, end } = await findLoggedModels(reader, ctx.db.dialect, {
      experiments,
      filter: tree,
      datasets: datasets.map(({ datasetName, datasetDigest }) => ({
        name: datasetName,
        digest: datasetDigest || undefined,
      })),
      order,
      limit,
      position,
    });
    const models = await readLoggedModels(reader, rows);
    return { models, nextPageToken: end && encodePageToken(ctx, query, end) };
  });
};
