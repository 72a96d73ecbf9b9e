import type { UseCases } from "../handler.ts";
import { createExperiment } from "./create-experiment.ts";
import { deleteExperiment, restoreExperiment } from "./delete-experiment.ts";
import { deleteExperimentTag, setExperimentTag } from "./experiment-tags.ts";
import { getExperiment, getExperimentByName } from "./get-experiment.ts";
import { searchDatasets } from "./search-datasets.ts";
import { searchExperiments } from "./search-experiments.ts";
import { updateExperiment } from "./update-experiment.ts";

export const experimentUseCases = {
  createExperiment,
  deleteExperiment,
  deleteExperimentTag,
  getExperiment,
  getExperimentByName,
  restoreExperiment,
  searchDatasets,
  searchExperiments,
  setExperimentTag,
  updateExperiment,
} satisfies Partial<UseCases>;
