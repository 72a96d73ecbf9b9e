import { ModelVersion, RegisteredModel, Tag } from "../entities/index.ts";
import { boolean, integer, list, message, nested, required, string } from "../wire/index.ts";

export const CreateRegisteredModelRequest = message("CreateRegisteredModelRequest", {
  name: required(string()),
  tags: list(nested(Tag)),
  description: string(),
});
export const RegisteredModelResponse = message("RegisteredModelResponse", {
  registeredModel: nested(RegisteredModel),
});
export const RegisteredModelNameRequest = message("RegisteredModelNameRequest", { name: required(string()) });
export const UpdateRegisteredModelRequest = message("UpdateRegisteredModelRequest", {
  name: required(string()),
  description: string(),
});
export const RenameRegisteredModelRequest = message("RenameRegisteredModelRequest", {
  name: required(string()),
  newName: required(string()),
});
export const SearchRegisteredModelsRequest = message("SearchRegisteredModelsRequest", {
  filter: string(),
  maxResults: integer(),
  orderBy: list(string()),
  pageToken: string(),
});
export const SearchRegisteredModelsResponse = message("SearchRegisteredModelsResponse", {
  registeredModels: list(nested(RegisteredModel)),
  nextPageToken: string(),
});
export const GetLatestVersionsRequest = message("GetLatestVersionsRequest", {
  name: required(string()),
  stages: list(string()),
});
export const ModelVersionsResponse = message("ModelVersionsResponse", {
  modelVersions: list(nested(ModelVersion)),
  nextPageToken: string(),
});
export const SetRegisteredModelTagRequest = message("SetRegisteredModelTagRequest", {
  name: required(string()),
  key: required(string()),
  value: string(),
});
export const DeleteRegisteredModelTagRequest = message("DeleteRegisteredModelTagRequest", {
  name: required(string()),
  key: required(string()),
});
export const SetAliasRequest = message("SetAliasRequest", {
  name: required(string()),
  alias: required(string()),
  version: required(string()),
});
export const AliasRequest = message("AliasRequest", { name: required(string()), alias: required(string()) });

export const CreateModelVersionRequest = message("CreateModelVersionRequest", {
  name: required(string()),
  source: required(string()),
  runId: string(),
  tags: list(nested(Tag)),
  runLink: string(),
  description: string(),
  modelId: string(),
});
export const ModelVersionResponse = message("ModelVersionResponse", { modelVersion: nested(ModelVersion) });
export const ModelVersionRequest = message("ModelVersionRequest", {
  name: required(string()),
  version: required(string()),
});
export const UpdateModelVersionRequest = message("UpdateModelVersionRequest", {
  name: required(string()),
  version: required(string()),
  description: string(),
});
export const SearchModelVersionsRequest = message("SearchModelVersionsRequest", {
  filter: string(),
  maxResults: integer(),
  orderBy: list(string()),
  pageToken: string(),
});
export const DownloadUriResponse = message("DownloadUriResponse", { artifactUri: string() });
export const SetModelVersionTagRequest = message("SetModelVersionTagRequest", {
  name: required(string()),
  version: required(string()),
  key: required(string()),
  value: string(),
});
export const DeleteModelVersionTagRequest = message("DeleteModelVersionTagRequest", {
  name: required(string()),
  version: required(string()),
  key: required(string()),
});
export const TransitionStageRequest = message("TransitionStageRequest", {
  name: required(string()),
  version: required(string()),
  stage: required(string()),
  archiveExistingVersions: boolean(),
});
