/** What the requests speak of: a run, models, a version … so that a mutated request gets past the first look-up. */

export interface World {
  readonly experimentId: string;
  readonly experimentName: string;
  readonly runId: string;
  readonly modelId: string;
  readonly modelName: string;
  readonly modelVersion: string;
  readonly alias: string;
  readonly webhookId: string;
  readonly artifactPath: string;
  /** Real page tokens, to be sent back whole, cut, or to another search. */
  readonly pageTokens: readonly string[];
  /** Steps that the server did not answer with 200; their ids are made up. */
  readonly refused: readonly string[];
}

interface Answer {
  readonly experiment_id?: string;
  readonly next_page_token?: string;
  readonly run?: { readonly info: { readonly run_id: string } };
  readonly model?: { readonly info: { readonly model_id: string } };
  readonly webhook?: { readonly webhook_id: string };
}

/** Creates one; `number` keeps its names apart from those of the others. */
export async function createWorld(url: string, number: number): Promise<World> {
  const refused: string[] = [];
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
      method,
      ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status === 200) return JSON.parse(text) as Answer;
    refused.push(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return {};
  };
  const post = (path: string, body: object): Promise<Answer> => call("POST", path, body);

  const experimentName = `fuzz-${number}`;
  const modelName = `fuzz-model-${number}`;
  const created = await post("experiments/create", { name: experimentName });
  const experimentId = created.experiment_id ?? "0";
  const runIds: string[] = [];
  for (let index = 0; index < 3; index++) {
    const { run } = await post("runs/create", { experiment_id: experimentId, start_time: index });
    runIds.push(run?.info.run_id ?? "0".repeat(32));
    await post("runs/log-batch", {
      run_id: runIds[index],
      metrics: Array.from({ length: 10 }, (_, step) => ({
        key: "loss",
        value: 1 / (step + 1),
        timestamp: step,
        step,
      })),
      params: [{ key: "lr", value: "0.1" }],
      tags: [{ key: "team", value: "a" }],
    });
  }
  const runId = runIds[0]!;
  const { model } = await post("logged-models", { experiment_id: experimentId, source_run_id: runId });
  await post("logged-models", { experiment_id: experimentId, source_run_id: runId });
  await post("registered-models/create", { name: modelName });
  await post("registered-models/create", { name: `${modelName}-b` });
  const source = "s3://bucket/model";
  for (let version = 1; version <= 2; version++)
    await post("model-versions/create", { name: modelName, source });
  await post("registered-models/alias", { name: modelName, alias: "champion", version: "1" });
  const { webhook } = await post("webhooks", {
    name: `fuzz-hook-${number}`,
    url: "https://127.0.0.1:9/hook",
    events: [{ entity: "REGISTERED_MODEL", action: "CREATED" }],
    // Inactive, so that requests of the fuzzer send nothing anywhere.
    status: "DISABLED",
  });
  const artifactPath = `${experimentId}/${runId}/artifacts/folder/data.json`;
  const stored = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts/${artifactPath}`, {
    method: "PUT",
    body: '{"rows":[1,2,3]}',
  });
  if (stored.status !== 200) refused.push(`PUT ${artifactPath}: ${stored.status}`);

  const pages = await Promise.all([
    post("runs/search", { experiment_ids: [experimentId], max_results: 1 }),
    post("experiments/search", { max_results: 1 }),
    post("logged-models/search", { experiment_ids: [experimentId], max_results: 1 }),
    call("GET", `metrics/get-history?run_id=${runId}&metric_key=loss&max_results=2`),
    call("GET", "registered-models/search?max_results=1"),
    call("GET", "model-versions/search?max_results=1"),
  ]);
  return {
    experimentId,
    experimentName,
    runId,
    modelId: model?.info.model_id ?? `m-${"0".repeat(32)}`,
    modelName,
    modelVersion: "1",
    alias: "champion",
    webhookId: webhook?.webhook_id ?? "00000000-0000-0000-0000-000000000000",
    artifactPath,
    pageTokens: pages.flatMap(({ next_page_token: token }) => (token === undefined ? [] : [token])),
    refused,
  };
}

/** Replaces the world's ids by names, so that a saved request can be sent to another server. */
export function toPlaceholders(text: string, world: World): string {
  let result = text;
  for (const [name, value] of namedIds(world)) result = result.replaceAll(value, `{{${name}}}`);
  return result;
}

export function fromPlaceholders(text: string, world: World): string {
  let result = text;
  for (const [name, value] of namedIds(world)) result = result.replaceAll(`{{${name}}}`, value);
  return result;
}

function namedIds({ runId, modelId, modelName, experimentName, webhookId }: World): [string, string][] {
  // Without the experiment's number: it is short, and would be found in many other places.
  return Object.entries({ runId, modelId, modelName, experimentName, webhookId });
}
