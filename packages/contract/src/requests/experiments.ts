import { Experiment, Tag, viewTypes } from "../entities/index.ts";
import { enumeration, integer, list, message, nested, required, string } from "../wire/index.ts";

export const CreateExperimentRequest = message("CreateExperimentRequest", {
  name: required(string()),
  artifactLocation: string(),
  tags: list(nested(Tag)),
});
export const CreateExperimentResponse = message("CreateExperimentResponse", { experimentId: string() });

export const SearchExperimentsRequest = message("SearchExperimentsRequest", {
  maxResults: integer(),
  pageToken: string(),
  filter: string(),
  orderBy: list(string()),
  viewType: enumeration(viewTypes),
});
export const SearchExperimentsResponse = message("SearchExperimentsResponse", {
  experiments: list(nested(Experiment)),
  nextPageToken: string(),
});

export const ExperimentIdRequest = message("ExperimentIdRequest", { experimentId: required(string()) });
export const ExperimentNameRequest = message("ExperimentNameRequest", { experimentName: required(string()) });
export const ExperimentResponse = message("ExperimentResponse", { experiment: nested(Experiment) });

export const UpdateExperimentRequest = message("UpdateExperimentRequest", {
  experimentId: required(string()),
  newName: required(string()),
});
export const SetExperimentTagRequest = message("SetExperimentTagRequest", {
  experimentId: required(string()),
  key: required(string()),
  value: string(),
});
export const DeleteExperimentTagRequest = message("DeleteExperimentTagRequest", {
  experimentId: required(string()),
  key: required(string()),
});
