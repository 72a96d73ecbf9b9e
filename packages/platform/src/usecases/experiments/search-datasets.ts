import { invalidParameter } from "@millrace/contract";
import { experimentKey } from "../../db/queries/experiments.ts";
import { datasetSummaries } from "../../db/queries/inputs.ts";
import type { UseCase } from "../handler.ts";

export const searchDatasets: UseCase<"searchDatasets"> = async (ctx, { experimentIds = [] }) => {
  const { datasetSearchExperimentsMax, datasetSummariesMax } = ctx.limits;
  if (experimentIds.length === 0) {
    throw invalidParameter("SearchDatasets request must specify at least one experiment_id.");
  }
  if (experimentIds.length > datasetSearchExperimentsMax) {
    throw invalidParameter(
      `SearchDatasets request cannot specify more than ${datasetSearchExperimentsMax} experiment_ids. Received ${experimentIds.length} experiment_ids.`,
      { count: experimentIds.length },
    );
  }
  const experiments = experimentIds.map(experimentKey);
  return ctx.db.read(async (reader) => ({
    datasetSummaries: await datasetSummaries(reader, experiments, datasetSummariesMax),
  }));
};
