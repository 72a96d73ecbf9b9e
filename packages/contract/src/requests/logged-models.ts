import { FileInfo, LoggedModel, loggedModelStatuses, Param, Tag } from "../entities/index.ts";
import { boolean, enumeration, integer, list, message, nested, required, string } from "../wire/index.ts";

export const CreateLoggedModelRequest = message("CreateLoggedModelRequest", {
  experimentId: required(string()),
  name: string(),
  modelType: string(),
  sourceRunId: string(),
  params: list(nested(Param)),
  tags: list(nested(Tag)),
});
export const LoggedModelResponse = message("LoggedModelResponse", { model: nested(LoggedModel) });

export const GetLoggedModelRequest = message("GetLoggedModelRequest", {
  modelId: required(string()),
  /** Answers a deleted model, too. */
  allowDeleted: boolean(),
});
export const ModelIdRequest = message("ModelIdRequest", { modelId: required(string()) });

export const FinalizeLoggedModelRequest = message("FinalizeLoggedModelRequest", {
  modelId: required(string()),
  status: required(enumeration(loggedModelStatuses)),
});

const LoggedModelDataset = message("LoggedModelDataset", {
  datasetName: required(string()),
  datasetDigest: string(),
});
const LoggedModelOrder = message("LoggedModelOrder", {
  fieldName: required(string()),
  ascending: boolean(),
  datasetName: string(),
  datasetDigest: string(),
});
export const SearchLoggedModelsRequest = message("SearchLoggedModelsRequest", {
  experimentIds: required(list(string())),
  filter: string(),
  datasets: list(nested(LoggedModelDataset)),
  maxResults: integer(),
  orderBy: list(nested(LoggedModelOrder)),
  pageToken: string(),
});
export const SearchLoggedModelsResponse = message("SearchLoggedModelsResponse", {
  models: list(nested(LoggedModel)),
  nextPageToken: string(),
});

export const SetLoggedModelTagsRequest = message("SetLoggedModelTagsRequest", {
  modelId: required(string()),
  tags: list(nested(Tag)),
});
export const DeleteLoggedModelTagRequest = message("DeleteLoggedModelTagRequest", {
  modelId: required(string()),
  tagKey: required(string()),
});
export const LogLoggedModelParamsRequest = message("LogLoggedModelParamsRequest", {
  modelId: required(string()),
  params: list(nested(Param)),
});
export const ListLoggedModelArtifactsRequest = message("ListLoggedModelArtifactsRequest", {
  modelId: required(string()),
  artifactDirectoryPath: string(),
  pageToken: string(),
});
export const ListArtifactsResponse = message("ListArtifactsResponse", {
  rootUri: string(),
  files: list(nested(FileInfo)),
  nextPageToken: string(),
});
export const GetLoggedModelArtifactRequest = message("GetLoggedModelArtifactRequest", {
  modelId: required(string()),
  artifactFilePath: required(string()),
});
