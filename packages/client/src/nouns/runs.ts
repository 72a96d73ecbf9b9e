import type { RunActivity, TypeOf } from "@millrace/contract";
import { present, type Run, type RunInfo, runInfoOf, runOf } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import { type Listing, listing } from "../pages.ts";
import type { Transport } from "../transport.ts";
import type { Fields, SearchFields } from "./request.ts";

export interface Runs {
  /** Starts a run; `startTime` is now unless given (milliseconds). */
  create(request: Fields<"createRun">, options?: CallOptions): Promise<Run>;
  get(runId: string, options?: CallOptions): Promise<Run>;
  search(request?: SearchFields<"searchRuns">, options?: CallOptions): Listing<Run>;
  update(request: Fields<"updateRun">, options?: CallOptions): Promise<RunInfo>;
  delete(runId: string, options?: CallOptions): Promise<void>;
  restore(runId: string, options?: CallOptions): Promise<void>;
  logMetric(request: Fields<"logMetric">, options?: CallOptions): Promise<void>;
  logParam(request: Fields<"logParam">, options?: CallOptions): Promise<void>;
  /** At most 1,000 metrics, 100 params and 100 tags; `createBatcher` splits and groups. */
  logBatch(request: Fields<"logBatch">, options?: CallOptions): Promise<void>;
  setTag(request: Fields<"setTag">, options?: CallOptions): Promise<void>;
  deleteTag(request: Fields<"deleteTag">, options?: CallOptions): Promise<void>;
  /** Data sets and logged models that the run used. */
  logInputs(request: Fields<"logInputs">, options?: CallOptions): Promise<void>;
  /** Logged models that the run made. */
  logOutputs(request: Fields<"logOutputs">, options?: CallOptions): Promise<void>;
  /** The way of clients before logged models: appends to the tag `mlflow.log-model.history`. */
  logModel(request: Fields<"logModel">, options?: CallOptions): Promise<void>;
  /**
   * Promises another sign of life within `leaseMs`; without one the run counts as failed afterwards. 0 gives the
   * lease up. Gives the time of expiry. Millrace only. @throws MillraceError ENDPOINT_NOT_FOUND elsewhere
   */
  renewLease(request: Fields<"renewLease">, options?: CallOptions): Promise<number | undefined>;
  /** When runs last wrote anything. Millrace only. @throws MillraceError ENDPOINT_NOT_FOUND elsewhere */
  activity(runIds: readonly string[], options?: CallOptions): Promise<readonly TypeOf<typeof RunActivity>[]>;
}

export function createRuns({ call }: Transport): Runs {
  return {
    create: async (request, options) =>
      runOf((await call("createRun", { startTime: Date.now(), ...request }, options)).run),
    get: async (runId, options) => runOf((await call("getRun", { runId }, options)).run),
    search: (request = {}, options) =>
      listing(async (pageToken) => {
        const answer = await call("searchRuns", { ...request, pageToken }, options);
        return { items: (answer.runs ?? []).map(runOf), nextPageToken: answer.nextPageToken };
      }),
    update: async (request, options) => runInfoOf((await call("updateRun", request, options)).runInfo),
    delete: async (runId, options) => {
      await call("deleteRun", { runId }, options);
    },
    restore: async (runId, options) => {
      await call("restoreRun", { runId }, options);
    },
    logMetric: async (request, options) => {
      await call("logMetric", request, options);
    },
    logParam: async (request, options) => {
      await call("logParam", request, options);
    },
    logBatch: async (request, options) => {
      await call("logBatch", request, options);
    },
    setTag: async (request, options) => {
      await call("setTag", request, options);
    },
    deleteTag: async (request, options) => {
      await call("deleteTag", request, options);
    },
    logInputs: async (request, options) => {
      await call("logInputs", request, options);
    },
    logOutputs: async (request, options) => {
      await call("logOutputs", request, options);
    },
    logModel: async (request, options) => {
      await call("logModel", request, options);
    },
    renewLease: async (request, options) => (await call("renewLease", request, options)).expiresAt,
    activity: async (runIds, options) =>
      present((await call("getRunActivity", { runIds }, options)).activities ?? [], "activities"),
  };
}
