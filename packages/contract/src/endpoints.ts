/**
 * The table of endpoints: server, client, documentation and interface read it.
 * `2.0` and `3.0` belong to the endpoint: the old families are 2.0, what MLflow 3 added is 3.0.
 */
import { endpoint } from "./endpoint.ts";
import * as r from "./requests/index.ts";

const mlflow = "/2.0/mlflow";
const proxy = "/2.0/mlflow-artifacts";
const raw = { answer: "raw" } as const;
const once = { idempotent: true } as const;

export const endpoints = {
  // Experiments
  createExperiment: endpoint(
    "POST",
    `${mlflow}/experiments/create`,
    r.CreateExperimentRequest,
    r.CreateExperimentResponse,
  ),
  searchExperiments: endpoint(
    ["POST", "GET"],
    `${mlflow}/experiments/search`,
    r.SearchExperimentsRequest,
    r.SearchExperimentsResponse,
    once,
  ),
  getExperiment: endpoint("GET", `${mlflow}/experiments/get`, r.ExperimentIdRequest, r.ExperimentResponse),
  getExperimentByName: endpoint(
    "GET",
    `${mlflow}/experiments/get-by-name`,
    r.ExperimentNameRequest,
    r.ExperimentResponse,
  ),
  updateExperiment: endpoint(
    "POST",
    `${mlflow}/experiments/update`,
    r.UpdateExperimentRequest,
    r.Empty,
    once,
  ),
  deleteExperiment: endpoint("POST", `${mlflow}/experiments/delete`, r.ExperimentIdRequest, r.Empty),
  restoreExperiment: endpoint("POST", `${mlflow}/experiments/restore`, r.ExperimentIdRequest, r.Empty),
  setExperimentTag: endpoint(
    "POST",
    `${mlflow}/experiments/set-experiment-tag`,
    r.SetExperimentTagRequest,
    r.Empty,
    once,
  ),
  deleteExperimentTag: endpoint(
    "POST",
    `${mlflow}/experiments/delete-experiment-tag`,
    r.DeleteExperimentTagRequest,
    r.Empty,
  ),
  searchDatasets: endpoint(
    "POST",
    `${mlflow}/experiments/search-datasets`,
    r.SearchDatasetsRequest,
    r.SearchDatasetsResponse,
    { family: "ajax", idempotent: true },
  ),

  // Runs
  createRun: endpoint("POST", `${mlflow}/runs/create`, r.CreateRunRequest, r.RunResponse),
  updateRun: endpoint("POST", `${mlflow}/runs/update`, r.UpdateRunRequest, r.UpdateRunResponse, once),
  deleteRun: endpoint("POST", `${mlflow}/runs/delete`, r.RunIdRequest, r.Empty, once),
  restoreRun: endpoint("POST", `${mlflow}/runs/restore`, r.RunIdRequest, r.Empty, once),
  getRun: endpoint("GET", `${mlflow}/runs/get`, r.RunIdRequest, r.RunResponse),
  searchRuns: endpoint("POST", `${mlflow}/runs/search`, r.SearchRunsRequest, r.SearchRunsResponse, once),
  logMetric: endpoint("POST", `${mlflow}/runs/log-metric`, r.LogMetricRequest, r.Empty, once),
  logParam: endpoint("POST", `${mlflow}/runs/log-parameter`, r.LogParamRequest, r.Empty, once),
  logBatch: endpoint("POST", `${mlflow}/runs/log-batch`, r.LogBatchRequest, r.Empty, once),
  setTag: endpoint("POST", `${mlflow}/runs/set-tag`, r.SetTagRequest, r.Empty, once),
  deleteTag: endpoint("POST", `${mlflow}/runs/delete-tag`, r.DeleteTagRequest, r.Empty),
  logInputs: endpoint("POST", `${mlflow}/runs/log-inputs`, r.LogInputsRequest, r.Empty, once),
  logOutputs: endpoint("POST", `${mlflow}/runs/outputs`, r.LogOutputsRequest, r.Empty, once),
  logModel: endpoint("POST", `${mlflow}/runs/log-model`, r.LogModelRequest, r.Empty),
  renewLease: endpoint(
    "POST",
    "/1.0/millrace/runs/renew-lease",
    r.RenewLeaseRequest,
    r.RenewLeaseResponse,
    once,
  ),
  getRunActivity: endpoint(
    "GET",
    "/1.0/millrace/runs/activity",
    r.GetRunActivityRequest,
    r.GetRunActivityResponse,
  ),

  // Metrics
  getMetricHistory: endpoint(
    "GET",
    `${mlflow}/metrics/get-history`,
    r.GetMetricHistoryRequest,
    r.MetricHistoryResponse,
    raw,
  ),
  getMetricHistoryBulk: endpoint(
    "GET",
    `${mlflow}/metrics/get-history-bulk`,
    r.GetMetricHistoryBulkRequest,
    r.MetricHistoryResponse,
    { family: "ajax", answer: "raw" },
  ),
  getMetricHistoryBulkInterval: endpoint(
    "GET",
    `${mlflow}/metrics/get-history-bulk-interval`,
    r.GetMetricHistoryBulkIntervalRequest,
    r.MetricHistoryResponse,
    raw,
  ),

  // Logged models
  createLoggedModel: endpoint(
    "POST",
    `${mlflow}/logged-models`,
    r.CreateLoggedModelRequest,
    r.LoggedModelResponse,
  ),
  searchLoggedModels: endpoint(
    "POST",
    `${mlflow}/logged-models/search`,
    r.SearchLoggedModelsRequest,
    r.SearchLoggedModelsResponse,
    once,
  ),
  getLoggedModel: endpoint(
    "GET",
    `${mlflow}/logged-models/{model_id}`,
    r.GetLoggedModelRequest,
    r.LoggedModelResponse,
  ),
  deleteLoggedModel: endpoint(
    "DELETE",
    `${mlflow}/logged-models/{model_id}`,
    r.ModelIdRequest,
    r.Empty,
    once,
  ),
  finalizeLoggedModel: endpoint(
    "PATCH",
    `${mlflow}/logged-models/{model_id}`,
    r.FinalizeLoggedModelRequest,
    r.LoggedModelResponse,
    once,
  ),
  setLoggedModelTags: endpoint(
    "PATCH",
    `${mlflow}/logged-models/{model_id}/tags`,
    r.SetLoggedModelTagsRequest,
    r.Empty,
    once,
  ),
  deleteLoggedModelTag: endpoint(
    "DELETE",
    `${mlflow}/logged-models/{model_id}/tags/{tag_key...}`,
    r.DeleteLoggedModelTagRequest,
    r.Empty,
  ),
  logLoggedModelParams: endpoint(
    "POST",
    `${mlflow}/logged-models/{model_id}/params`,
    r.LogLoggedModelParamsRequest,
    r.Empty,
    once,
  ),
  listLoggedModelArtifacts: endpoint(
    "GET",
    `${mlflow}/logged-models/{model_id}/artifacts/directories`,
    r.ListLoggedModelArtifactsRequest,
    r.ListArtifactsResponse,
  ),
  getLoggedModelArtifact: endpoint(
    "GET",
    `${mlflow}/logged-models/{model_id}/artifacts/files`,
    r.GetLoggedModelArtifactRequest,
    r.Empty,
    { family: "ajax", answer: "raw" },
  ),

  // Model registry
  createRegisteredModel: endpoint(
    "POST",
    `${mlflow}/registered-models/create`,
    r.CreateRegisteredModelRequest,
    r.RegisteredModelResponse,
  ),
  getRegisteredModel: endpoint(
    "GET",
    `${mlflow}/registered-models/get`,
    r.RegisteredModelNameRequest,
    r.RegisteredModelResponse,
  ),
  updateRegisteredModel: endpoint(
    "PATCH",
    `${mlflow}/registered-models/update`,
    r.UpdateRegisteredModelRequest,
    r.RegisteredModelResponse,
    once,
  ),
  renameRegisteredModel: endpoint(
    "POST",
    `${mlflow}/registered-models/rename`,
    r.RenameRegisteredModelRequest,
    r.RegisteredModelResponse,
  ),
  deleteRegisteredModel: endpoint(
    "DELETE",
    `${mlflow}/registered-models/delete`,
    r.RegisteredModelNameRequest,
    r.Empty,
  ),
  searchRegisteredModels: endpoint(
    "GET",
    `${mlflow}/registered-models/search`,
    r.SearchRegisteredModelsRequest,
    r.SearchRegisteredModelsResponse,
  ),
  getLatestVersions: endpoint(
    ["POST", "GET"],
    `${mlflow}/registered-models/get-latest-versions`,
    r.GetLatestVersionsRequest,
    r.ModelVersionsResponse,
    once,
  ),
  setRegisteredModelTag: endpoint(
    "POST",
    `${mlflow}/registered-models/set-tag`,
    r.SetRegisteredModelTagRequest,
    r.Empty,
    once,
  ),
  deleteRegisteredModelTag: endpoint(
    "DELETE",
    `${mlflow}/registered-models/delete-tag`,
    r.DeleteRegisteredModelTagRequest,
    r.Empty,
    once,
  ),
  setAlias: endpoint("POST", `${mlflow}/registered-models/alias`, r.SetAliasRequest, r.Empty, once),
  deleteAlias: endpoint("DELETE", `${mlflow}/registered-models/alias`, r.AliasRequest, r.Empty, once),
  getModelVersionByAlias: endpoint(
    "GET",
    `${mlflow}/registered-models/alias`,
    r.AliasRequest,
    r.ModelVersionResponse,
  ),
  createModelVersion: endpoint(
    "POST",
    `${mlflow}/model-versions/create`,
    r.CreateModelVersionRequest,
    r.ModelVersionResponse,
  ),
  getModelVersion: endpoint(
    "GET",
    `${mlflow}/model-versions/get`,
    r.ModelVersionRequest,
    r.ModelVersionResponse,
  ),
  updateModelVersion: endpoint(
    "PATCH",
    `${mlflow}/model-versions/update`,
    r.UpdateModelVersionRequest,
    r.ModelVersionResponse,
    once,
  ),
  deleteModelVersion: endpoint("DELETE", `${mlflow}/model-versions/delete`, r.ModelVersionRequest, r.Empty),
  searchModelVersions: endpoint(
    "GET",
    `${mlflow}/model-versions/search`,
    r.SearchModelVersionsRequest,
    r.ModelVersionsResponse,
  ),
  getModelVersionDownloadUri: endpoint(
    "GET",
    `${mlflow}/model-versions/get-download-uri`,
    r.ModelVersionRequest,
    r.DownloadUriResponse,
  ),
  setModelVersionTag: endpoint(
    "POST",
    `${mlflow}/model-versions/set-tag`,
    r.SetModelVersionTagRequest,
    r.Empty,
    once,
  ),
  deleteModelVersionTag: endpoint(
    "DELETE",
    `${mlflow}/model-versions/delete-tag`,
    r.DeleteModelVersionTagRequest,
    r.Empty,
    once,
  ),
  transitionModelVersionStage: endpoint(
    "POST",
    `${mlflow}/model-versions/transition-stage`,
    r.TransitionStageRequest,
    r.ModelVersionResponse,
    once,
  ),

  // Webhooks
  createWebhook: endpoint("POST", `${mlflow}/webhooks`, r.CreateWebhookRequest, r.WebhookResponse),
  listWebhooks: endpoint("GET", `${mlflow}/webhooks`, r.ListWebhooksRequest, r.ListWebhooksResponse),
  getWebhook: endpoint("GET", `${mlflow}/webhooks/{webhook_id}`, r.WebhookIdRequest, r.WebhookResponse),
  updateWebhook: endpoint(
    "PATCH",
    `${mlflow}/webhooks/{webhook_id}`,
    r.UpdateWebhookRequest,
    r.WebhookResponse,
    once,
  ),
  deleteWebhook: endpoint("DELETE", `${mlflow}/webhooks/{webhook_id}`, r.WebhookIdRequest, r.Empty),
  testWebhook: endpoint(
    "POST",
    `${mlflow}/webhooks/{webhook_id}/test`,
    r.TestWebhookRequest,
    r.TestWebhookResponse,
  ),

  // Artifacts of a run
  listArtifacts: endpoint(
    "GET",
    `${mlflow}/artifacts/list`,
    r.ListRunArtifactsRequest,
    r.ListArtifactsResponse,
  ),
  createPresignedUploadUrl: endpoint(
    "POST",
    `${mlflow}/artifacts/presigned-upload-url`,
    r.PresignedUploadRequest,
    r.PresignedResponse,
  ),
  createPresignedDownloadUrl: endpoint(
    "POST",
    `${mlflow}/artifacts/presigned-download-url`,
    r.PresignedDownloadRequest,
    r.PresignedResponse,
  ),
  getRunArtifact: endpoint("GET", "/get-artifact", r.GetRunArtifactRequest, r.Empty, {
    family: "plain",
    answer: "raw",
  }),
  getVersionArtifact: endpoint("GET", "/model-versions/get-artifact", r.GetVersionArtifactRequest, r.Empty, {
    family: "plain",
    answer: "raw",
  }),
  uploadArtifact: endpoint("POST", `${mlflow}/upload-artifact`, r.UploadArtifactRequest, r.Empty, {
    family: "ajax",
    body: "stream",
    idempotent: true,
  }),

  // The artifact proxy
  listProxiedArtifacts: endpoint("GET", `${proxy}/artifacts`, r.ListProxiedRequest, r.ListProxiedResponse),
  downloadArtifact: endpoint(
    "GET",
    `${proxy}/artifacts/{artifact_path...}`,
    r.ProxiedPathRequest,
    r.Empty,
    raw,
  ),
  writeArtifact: endpoint("PUT", `${proxy}/artifacts/{artifact_path...}`, r.ProxiedPathRequest, r.Empty, {
    body: "stream",
    answer: "raw",
    idempotent: true,
  }),
  deleteArtifact: endpoint(
    "DELETE",
    `${proxy}/artifacts/{artifact_path...}`,
    r.ProxiedPathRequest,
    r.Empty,
    once,
  ),
  createMultipartUpload: endpoint(
    "POST",
    `${proxy}/mpu/create/{artifact_path...}`,
    r.CreateMultipartRequest,
    r.CreateMultipartResponse,
  ),
  completeMultipartUpload: endpoint(
    "POST",
    `${proxy}/mpu/complete/{artifact_path...}`,
    r.CompleteMultipartRequest,
    r.Empty,
  ),
  abortMultipartUpload: endpoint(
    "POST",
    `${proxy}/mpu/abort/{artifact_path...}`,
    r.AbortMultipartRequest,
    r.Empty,
    once,
  ),
  uploadPart: endpoint(
    "PUT",
    "/1.0/millrace/artifact-parts/{upload_id}/{part_number}",
    r.UploadPartRequest,
    r.Empty,
    { body: "stream", answer: "raw", idempotent: true, signed: true },
  ),
  getProxiedPresignedUrl: endpoint(
    "GET",
    `${proxy}/presigned/{artifact_path...}`,
    r.ProxiedPathRequest,
    r.ProxiedPresignedResponse,
  ),

  // The server
  getServerInfo: endpoint("GET", "/3.0/mlflow/server-info", r.Empty, r.ServerInfo),
  listChanges: endpoint("GET", "/1.0/millrace/changes", r.ListChangesRequest, r.ListChangesResponse),
} as const;

export type Endpoints = typeof endpoints;
export type EndpointName = keyof Endpoints;
