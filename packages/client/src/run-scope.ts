/** A run that lasts as long as a function: its status is that of the function. */
import type { DatasetInput, RunStatus } from "@millrace/contract";
import type { Uploadable } from "./artifacts/source.ts";
import { type Batcher, type BatcherOptions, createBatcher } from "./batch/batcher.ts";
import type { BatchMetric } from "./batch/queue.ts";
import type { Client } from "./client.ts";
import type { Run, RunInfo } from "./entities.ts";
import { holdLease } from "./lease.ts";

export interface RunOptions {
  /** Where the run belongs; without it the experiment of that name, else the server's default one. */
  readonly experimentId?: string | undefined;
  /** Made if there is none. */
  readonly experimentName?: string | undefined;
  /** Goes on with a run that exists, instead of making one. */
  readonly runId?: string | undefined;
  readonly runName?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly parentRunId?: string | undefined;
  /**
   * Promises a sign of life within this time, so that the server can tell a crashed run from a slow one. On
   * servers without leases it has no effect.
   */
  readonly leaseMs?: number | undefined;
  readonly batch?: BatcherOptions | undefined;
  /** When the function throws after this was aborted, the run counts as killed. */
  readonly signal?: AbortSignal | undefined;
}

export type PointOptions = Partial<Omit<BatchMetric, "key" | "value">>;

/** What the function receives. Metrics, params and tags are grouped and sent in the background. */
export interface ActiveRun {
  readonly runId: string;
  readonly info: RunInfo;
  readonly client: Client;
  /** Settles when the point is accepted; awaiting it keeps memory bounded. */
  logMetric(key: string, value: number, options?: PointOptions): Promise<void>;
  logMetrics(values: Readonly<Record<string, number>>, options?: PointOptions): Promise<void>;
  logParams(params: Readonly<Record<string, string | number | boolean>>): Promise<void>;
  setTags(tags: Readonly<Record<string, string>>): Promise<void>;
  logInput(input: DatasetInput): Promise<void>;
  logText(path: string, text: string): Promise<void>;
  logJson(path: string, value: unknown): Promise<void>;
  /** Uploads bytes as an artifact. */
  logBytes(path: string, content: Uploadable): Promise<void>;
  /** Waits until all that was logged is stored. */
  flush(): Promise<void>;
  /** A run below this one, in the same experiment unless another is named. */
  withChild<T>(options: RunOptions, body: (run: ActiveRun) => Promise<T> | T): Promise<T>;
}

/** What the surroundings add: nothing in a browser, source and signals in Node. */
export interface RunSurroundings {
  readonly user: string | undefined;
  /** Of the program: its name, type and commit. */
  readonly tags: Readonly<Record<string, string>>;
  /** Called while the run is open; what it gives is called when the run is over. */
  readonly onOpen: (run: OpenRun) => () => void;
}

/** A run as the surroundings see it. */
export interface OpenRun {
  readonly runId: string;
  /** Stores what is pending and sets the status; a second call only waits for the first. */
  end(status: RunStatus): Promise<void>;
  /** Stores what is pending. */
  flush(): Promise<void>;
}

export const noSurroundings: RunSurroundings = { user: undefined, tags: {}, onOpen: () => () => {} };

/** MLflow's experiment for runs that name none. */
const DEFAULT_EXPERIMENT_ID = "0";

/**
 * Starts a run, calls `body` with it and ends it: FINISHED when `body` returns, FAILED when it throws (the error is
 * thrown again), KILLED when the surroundings or `signal` stopped it.
 */
export async function withRun<T, R extends ActiveRun = ActiveRun>(
  client: Client,
  options: RunOptions,
  body: (run: R) => Promise<T> | T,
  surroundings: RunSurroundings = noSurroundings,
  extend: (run: ActiveRun) => R = (run) => run as R,
): Promise<T> {
  const { info } =
    options.runId === undefined ? await start(client, options, surroundings) : await goOn(client, options);
  const batcher = createBatcher(client.runs, options.batch);
  const open = openRun(client, info.runId, batcher);
  const releaseLease = holdLease(client.runs, info.runId, options.leaseMs);
  const close = surroundings.onOpen(open);
  try {
    const run = extend(activeRun(client, info, batcher));
    let result: T;
    try {
      result = await body(run);
    } catch (error) {
      // The function's own error is the one to tell, whatever else goes wrong now.
      await open.end(options.signal?.aborted ? "KILLED" : "FAILED").catch(() => undefined);
      throw error;
    }
    await open.end("FINISHED");
    return result;
  } finally {
    releaseLease();
    close();
  }
}

async function start(client: Client, options: RunOptions, surroundings: RunSurroundings): Promise<Run> {
  const { experimentName, runName, description, parentRunId } = options;
  const experimentId =
    options.experimentId ??
    (experimentName === undefined
      ? DEFAULT_EXPERIMENT_ID
      : (await client.experiments.getOrCreate({ name: experimentName })).experimentId);
  const tags: Record<string, string> = { ...surroundings.tags };
  if (surroundings.user !== undefined) tags["mlflow.user"] = surroundings.user;
  if (runName !== undefined) tags["mlflow.runName"] = runName;
  if (description !== undefined) tags["mlflow.note.content"] = description;
  if (parentRunId !== undefined) tags["mlflow.parentRunId"] = parentRunId;
  Object.assign(tags, options.tags);
  return client.runs.create({
    experimentId,
    runName,
    userId: surroundings.user,
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  });
}

async function goOn(client: Client, { runId = "", runName, tags }: RunOptions): Promise<{ info: RunInfo }> {
  const info = await client.runs.update({ runId, status: "RUNNING", runName });
  const entries = Object.entries(tags ?? {}).map(([key, value]) => ({ key, value }));
  if (entries.length > 0) await client.runs.logBatch({ runId, tags: entries });
  return { info };
}

function openRun(client: Client, runId: string, batcher: Batcher): OpenRun {
  let ended: Promise<void> | undefined;
  const end = async (status: RunStatus): Promise<void> => {
    let given = status;
    try {
      await batcher.close();
    } catch (error) {
      // A run whose data is not complete has not finished well.
      if (given === "FINISHED") given = "FAILED";
      throw error;
    } finally {
      await client.runs.update({ runId, status: given, endTime: Date.now() });
    }
  };
  return { runId, end: (status) => (ended ??= end(status)), flush: () => batcher.flush() };
}

function activeRun(client: Client, info: RunInfo, batcher: Batcher): ActiveRun {
  const { runId } = info;
  const logMetrics: ActiveRun["logMetrics"] = (values, options) => {
    const timestamp = options?.timestamp ?? Date.now();
    const metrics = Object.entries(values).map(([key, value]) => ({ ...options, key, value, timestamp }));
    return batcher.add(runId, { metrics });
  };
  const logBytes: ActiveRun["logBytes"] = (path, content) =>
    client.artifacts.upload({ runId }, path, content);
  return {
    runId,
    info,
    client,
    logMetric: (key, value, options) => logMetrics({ [key]: value }, options),
    logMetrics,
    logParams: (params) =>
      batcher.add(runId, {
        params: Object.entries(params).map(([key, value]) => ({ key, value: String(value) })),
      }),
    setTags: (tags) =>
      batcher.add(runId, { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) }),
    logInput: (input) => client.runs.logInputs({ runId, datasets: [input] }),
    logText: (path, text) => logBytes(path, text),
    logJson: (path, value) => logBytes(path, JSON.stringify(value, undefined, 2)),
    logBytes,
    flush: () => batcher.flush(),
    withChild: (options, body) => withRun(client, childOptions({ runId, info }, options), body),
  };
}

/** Options of a run below another. */
export function childOptions(parent: Pick<ActiveRun, "runId" | "info">, options: RunOptions): RunOptions {
  const experimentId =
    options.experimentId ?? (options.experimentName === undefined ? parent.info.experimentId : undefined);
  return { ...options, experimentId, parentRunId: parent.runId };
}
