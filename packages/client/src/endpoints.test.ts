import { type Endpoint, type EndpointName, endpoints } from "@millrace/contract";
import { expect, test } from "vitest";
import { type Client, createClient } from "./client.ts";
import { fakeServer, instantly, json } from "./testing.ts";

const run = { runId: "r" };
const tag = { key: "k", value: "v" };
const version = { name: "n", version: "1" };

/** How each endpoint is reached. An endpoint that is added to the contract is a type error until its line is here. */
const reached: Record<EndpointName, (client: Client) => unknown> = {
  createExperiment: (c) => c.experiments.create({ name: "n" }),
  searchExperiments: (c) => c.experiments.search().page(),
  getExperiment: (c) => c.experiments.get("1"),
  getExperimentByName: (c) => c.experiments.getByName("n"),
  updateExperiment: (c) => c.experiments.rename("1", "m"),
  deleteExperiment: (c) => c.experiments.delete("1"),
  restoreExperiment: (c) => c.experiments.restore("1"),
  setExperimentTag: (c) => c.experiments.setTag({ experimentId: "1", ...tag }),
  deleteExperimentTag: (c) => c.experiments.deleteTag({ experimentId: "1", key: "k" }),
  searchDatasets: (c) => c.experiments.searchDatasets(["1"]),
  createRun: (c) => c.runs.create({ experimentId: "1" }),
  updateRun: (c) => c.runs.update({ ...run, status: "FINISHED" }),
  deleteRun: (c) => c.runs.delete("r"),
  restoreRun: (c) => c.runs.restore("r"),
  getRun: (c) => c.runs.get("r"),
  searchRuns: (c) => c.runs.search().page(),
  logMetric: (c) => c.runs.logMetric({ ...run, key: "k", value: 1, timestamp: 1 }),
  logParam: (c) => c.runs.logParam({ ...run, ...tag }),
  logBatch: (c) => c.runs.logBatch(run),
  setTag: (c) => c.runs.setTag({ ...run, ...tag }),
  deleteTag: (c) => c.runs.deleteTag({ ...run, key: "k" }),
  logInputs: (c) => c.runs.logInputs(run),
  logOutputs: (c) => c.runs.logOutputs({ ...run, models: [] }),
  logModel: (c) => c.runs.logModel({ ...run, modelJson: "{}" }),
  renewLease: (c) => c.runs.renewLease({ ...run, leaseMs: 1 }),
  getRunActivity: (c) => c.runs.activity(["r"]),
  getMetricHistory: (c) => c.metrics.history({ ...run, metricKey: "k" }).page(),
  getMetricHistoryBulk: (c) => c.metrics.historyBulk({ runId: ["r"], metricKey: "k" }),
  getMetricHistoryBulkInterval: (c) => c.metrics.historySample({ runIds: ["r"], metricKey: "k" }),
  createLoggedModel: (c) => c.loggedModels.create({ experimentId: "1" }),
  searchLoggedModels: (c) => c.loggedModels.search({ experimentIds: ["1"] }).page(),
  getLoggedModel: (c) => c.loggedModels.get("m"),
  deleteLoggedModel: (c) => c.loggedModels.delete("m"),
  finalizeLoggedModel: (c) => c.loggedModels.finalize({ modelId: "m", status: "LOGGED_MODEL_READY" }),
  setLoggedModelTags: (c) => c.loggedModels.setTags({ modelId: "m", tags: [tag] }),
  deleteLoggedModelTag: (c) => c.loggedModels.deleteTag("m", "a/b"),
  logLoggedModelParams: (c) => c.loggedModels.logParams({ modelId: "m", params: [tag] }),
  listLoggedModelArtifacts: (c) => c.artifacts.list({ modelId: "m" }).page(),
  getLoggedModelArtifact: (c) => c.artifacts.bytes({ modelId: "direct" }, "f"),
  createRegisteredModel: (c) => c.models.create({ name: "n" }),
  getRegisteredModel: (c) => c.models.get("n"),
  updateRegisteredModel: (c) => c.models.update({ name: "n" }),
  renameRegisteredModel: (c) => c.models.rename("n", "m"),
  deleteRegisteredModel: (c) => c.models.delete("n"),
  searchRegisteredModels: (c) => c.models.search().page(),
  getLatestVersions: (c) => c.models.latestVersions({ name: "n" }),
  setRegisteredModelTag: (c) => c.models.setTag({ name: "n", ...tag }),
  deleteRegisteredModelTag: (c) => c.models.deleteTag({ name: "n", key: "k" }),
  setAlias: (c) => c.models.aliases.set({ ...version, alias: "a" }),
  deleteAlias: (c) => c.models.aliases.delete("n", "a"),
  getModelVersionByAlias: (c) => c.models.aliases.get("n", "a"),
  createModelVersion: (c) => c.models.versions.create({ name: "n", source: "s3://b/p" }),
  getModelVersion: (c) => c.models.versions.get("n", "1"),
  updateModelVersion: (c) => c.models.versions.update(version),
  deleteModelVersion: (c) => c.models.versions.delete("n", "1"),
  searchModelVersions: (c) => c.models.versions.search().page(),
  getModelVersionDownloadUri: (c) => c.models.versions.downloadUri("n", "1"),
  setModelVersionTag: (c) => c.models.versions.setTag({ ...version, ...tag }),
  deleteModelVersionTag: (c) => c.models.versions.deleteTag({ ...version, key: "k" }),
  transitionModelVersionStage: (c) =>
    c.models.versions.transitionStage({ ...version, stage: "Staging", archiveExistingVersions: false }),
  createWebhook: (c) => c.webhooks.create({ name: "n", url: "https://h", events: [] }),
  listWebhooks: (c) => c.webhooks.list().page(),
  getWebhook: (c) => c.webhooks.get("w"),
  updateWebhook: (c) => c.webhooks.update({ webhookId: "w" }),
  deleteWebhook: (c) => c.webhooks.delete("w"),
  testWebhook: (c) => c.webhooks.test({ webhookId: "w" }),
  listArtifacts: (c) => c.artifacts.list(run).page(),
  createPresignedUploadUrl: (c) => c.artifacts.presignUpload({ ...run, path: "f" }),
  createPresignedDownloadUrl: (c) => c.artifacts.presignDownload({ ...run, path: "f" }),
  getRunArtifact: (c) => c.artifacts.bytes({ runId: "direct" }, "f"),
  getVersionArtifact: (c) => c.artifacts.bytes({ name: "direct", version: "1" }, "f"),
  uploadArtifact: (c) => c.artifacts.upload({ runId: "direct" }, "f", "text"),
  listProxiedArtifacts: (c) => c.artifacts.list({ uri: "mlflow-artifacts:/1" }).page(),
  downloadArtifact: (c) => c.artifacts.bytes({ uri: "mlflow-artifacts:/1" }, "f"),
  writeArtifact: (c) => c.artifacts.upload({ uri: "mlflow-artifacts:/1" }, "f", "text"),
  deleteArtifact: (c) => c.artifacts.delete({ uri: "mlflow-artifacts:/1" }, "f"),
  createMultipartUpload: (c) => uploadInParts(c),
  completeMultipartUpload: (c) => uploadInParts(c),
  abortMultipartUpload: (c) => uploadInParts(c, "broken"),
  uploadPart: (c) => uploadInParts(c),
  getProxiedPresignedUrl: (c) => c.artifacts.presignProxied("1/f"),
  getServerInfo: (c) => c.server.info(),
  listChanges: (c) => c.changes.list(),
};

function uploadInParts(client: Client, name = "f"): Promise<void> {
  return client.artifacts.upload({ uri: "mlflow-artifacts:/1" }, name, "text", { multipartBytesMin: 1 });
}

/** Answers that let a client go on to the request that is looked for. */
function answer(path: string, search: string): Response {
  if (path.includes("/runs/get") && search.includes("direct")) {
    return json({ run: { info: { run_id: "direct", artifact_uri: "s3://bucket/x" } } });
  }
  if (path.includes("get-download-uri")) return json({ artifact_uri: "s3://bucket/x" });
  if (path.endsWith("/logged-models/direct"))
    return json({ model: { info: { artifact_uri: "s3://bucket/x" } } });
  if (path.includes("server-info")) return json({ multipart_uploads_enabled: true });
  if (path.includes("/mpu/create/")) {
    const url = "http://localhost/api/1.0/millrace/artifact-parts/u/1?path=p&signature=s";
    return json({ upload_id: "u", credentials: [{ url, part_number: 1, headers: {} }] });
  }
  if (path.includes("/mpu/complete/"))
    return json({ error_code: "INVALID_STATE", message: "no" }, { status: 400 });
  return json({});
}

function pattern(endpoint: Endpoint): RegExp {
  const prefix = { both: "/api", ajax: "/ajax-api", plain: "" }[endpoint.family];
  const path = endpoint.path.replace(/\{\w+\.\.\.\}/g, ".+").replace(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${prefix}${path}$`);
}

test.each(Object.keys(endpoints) as EndpointName[])("%s is reached", async (name) => {
  const { fetch, seen } = fakeServer(({ url }) => answer(url.pathname, url.search));
  const client = createClient({ fetch }, instantly);
  // An empty answer may be none that the method can use; here only the request matters.
  await Promise.resolve(reached[name](client)).catch(() => undefined);
  const { methods } = endpoints[name] as Endpoint;
  const found = seen.filter(
    ({ method, url }) => methods.includes(method as never) && pattern(endpoints[name]).test(url.pathname),
  );
  expect(found.length, seen.map(({ method, url }) => `${method} ${url.pathname}`).join(", ")).toBeGreaterThan(
    0,
  );
});
