import {
  DatasetInput,
  DatasetSummary,
  Metric,
  ModelInput,
  ModelOutput,
  Run,
  RunInfo,
  runStatuses,
  Tag,
  viewTypes,
} from "../entities/index.ts";
import {
  double,
  enumeration,
  int64,
  integer,
  list,
  message,
  nested,
  required,
  string,
} from "../wire/index.ts";

/** Every run endpoint takes the old name of the id as a fallback; clients send both. */
const runUuid = { runId: "run_uuid" } as const;

export const CreateRunRequest = message("CreateRunRequest", {
  experimentId: required(string()),
  userId: string(),
  runName: string(),
  startTime: integer(),
  tags: list(nested(Tag)),
});
export const RunResponse = message("RunResponse", { run: nested(Run) });

export const UpdateRunRequest = message(
  "UpdateRunRequest",
  { runId: required(string()), status: enumeration(runStatuses), endTime: integer(), runName: string() },
  runUuid,
);
export const UpdateRunResponse = message("UpdateRunResponse", { runInfo: nested(RunInfo) });

export const RunIdRequest = message("RunIdRequest", { runId: required(string()) }, runUuid);

export const SearchRunsRequest = message("SearchRunsRequest", {
  experimentIds: list(string()),
  filter: string(),
  runViewType: enumeration(viewTypes),
  maxResults: integer(),
  orderBy: list(string()),
  pageToken: string(),
});
export const SearchRunsResponse = message("SearchRunsResponse", {
  runs: list(nested(Run)),
  nextPageToken: string(),
});

export const LogMetricRequest = message(
  "LogMetricRequest",
  {
    runId: required(string()),
    key: required(string()),
    value: required(double()),
    timestamp: required(integer()),
    step: int64(),
    modelId: string(),
    datasetName: string(),
    datasetDigest: string(),
  },
  runUuid,
);

export const LogParamRequest = message(
  "LogParamRequest",
  { runId: required(string()), key: required(string()), value: string() },
  runUuid,
);

export const SetTagRequest = message(
  "SetTagRequest",
  { runId: required(string()), key: required(string()), value: string() },
  runUuid,
);

export const DeleteTagRequest = message(
  "DeleteTagRequest",
  { runId: required(string()), key: required(string()) },
  runUuid,
);

/** An item of a batch: like Metric, but what a point cannot do without is required. */
const BatchMetric = message("BatchMetric", {
  key: required(string()),
  value: required(double()),
  timestamp: required(integer()),
  step: int64(),
  modelId: string(),
  datasetName: string(),
  datasetDigest: string(),
});
const BatchParam = message("BatchParam", { key: required(string()), value: string() });
const BatchTag = message("BatchTag", { key: required(string()), value: string() });

export const LogBatchRequest = message(
  "LogBatchRequest",
  {
    runId: required(string()),
    metrics: list(nested(BatchMetric)),
    params: list(nested(BatchParam)),
    tags: list(nested(BatchTag)),
  },
  runUuid,
);

export const LogInputsRequest = message(
  "LogInputsRequest",
  { runId: required(string()), datasets: list(nested(DatasetInput)), models: list(nested(ModelInput)) },
  runUuid,
);

export const LogOutputsRequest = message(
  "LogOutputsRequest",
  { runId: required(string()), models: required(list(nested(ModelOutput))) },
  runUuid,
);

export const LogModelRequest = message(
  "LogModelRequest",
  { runId: required(string()), modelJson: required(string()) },
  runUuid,
);

export const SearchDatasetsRequest = message("SearchDatasetsRequest", { experimentIds: list(string()) });
export const SearchDatasetsResponse = message("SearchDatasetsResponse", {
  datasetSummaries: list(nested(DatasetSummary)),
});

export const GetMetricHistoryRequest = message(
  "GetMetricHistoryRequest",
  { runId: required(string()), metricKey: required(string()), pageToken: string(), maxResults: integer() },
  runUuid,
);
export const MetricHistoryResponse = message("MetricHistoryResponse", {
  metrics: list(nested(Metric)),
  nextPageToken: string(),
});

export const GetMetricHistoryBulkRequest = message("GetMetricHistoryBulkRequest", {
  runId: required(list(string())),
  metricKey: required(string()),
  maxResults: integer(),
});

export const GetMetricHistoryBulkIntervalRequest = message("GetMetricHistoryBulkIntervalRequest", {
  runIds: required(list(string())),
  metricKey: required(string()),
  startStep: int64(),
  endStep: int64(),
  maxResults: integer(),
});

/**
 * Ours: a lease says how long a run may stay silent before it counts as failed; 0 gives it up. Without a lease a
 * run's status never changes by itself.
 */
export const RenewLeaseRequest = message("RenewLeaseRequest", {
  runId: required(string()),
  leaseMs: required(integer()),
});
export const RenewLeaseResponse = message("RenewLeaseResponse", { expiresAt: integer() });

/** Ours: what the protocol does not tell of a run: when it last wrote anything. */
export const RunActivity = message("RunActivity", {
  runId: string(),
  lastActivityTime: integer(),
  leaseExpiresAt: integer(),
});
export const GetRunActivityRequest = message("GetRunActivityRequest", { runIds: required(list(string())) });
export const GetRunActivityResponse = message("GetRunActivityResponse", {
  activities: list(nested(RunActivity)),
});
