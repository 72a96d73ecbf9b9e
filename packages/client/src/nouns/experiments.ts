import type { DatasetSummary } from "@millrace/contract";
import { type Experiment, experimentOf, present } from "../entities.ts";
import { MillraceError } from "../error.ts";
import type { CallOptions } from "../exchange.ts";
import { type Listing, listing } from "../pages.ts";
import type { Transport } from "../transport.ts";
import type { Fields, SearchFields } from "./request.ts";

const EXPERIMENTS_PER_PAGE = 1_000;

export interface Experiments {
  /** Makes an experiment and gives its id. @throws MillraceError RESOURCE_ALREADY_EXISTS */
  create(request: Fields<"createExperiment">, options?: CallOptions): Promise<string>;
  /** Also finds a deleted experiment. @throws MillraceError RESOURCE_DOES_NOT_EXIST */
  get(experimentId: string, options?: CallOptions): Promise<Experiment>;
  /** Also finds a deleted experiment. @throws MillraceError RESOURCE_DOES_NOT_EXIST */
  getByName(name: string, options?: CallOptions): Promise<Experiment>;
  /** The experiment of that name, made if there is none, also when others do the same at this moment. */
  getOrCreate(request: Fields<"createExperiment">, options?: CallOptions): Promise<Experiment>;
  search(request?: SearchFields<"searchExperiments">, options?: CallOptions): Listing<Experiment>;
  rename(experimentId: string, newName: string, options?: CallOptions): Promise<void>;
  /** Marks it and all its runs as deleted. */
  delete(experimentId: string, options?: CallOptions): Promise<void>;
  /** Revives it and all its runs, those that were deleted one by one included. */
  restore(experimentId: string, options?: CallOptions): Promise<void>;
  setTag(request: Fields<"setExperimentTag">, options?: CallOptions): Promise<void>;
  deleteTag(request: Fields<"deleteExperimentTag">, options?: CallOptions): Promise<void>;
  /** The data sets that runs of these experiments (at most 20) used. */
  searchDatasets(experimentIds: readonly string[], options?: CallOptions): Promise<readonly DatasetSummary[]>;
}

export function createExperiments({ call }: Transport): Experiments {
  const getByName: Experiments["getByName"] = async (experimentName, options) =>
    experimentOf((await call("getExperimentByName", { experimentName }, options)).experiment);

  return {
    create: async (request, options) =>
      present((await call("createExperiment", request, options)).experimentId, "experiment_id"),
    get: async (experimentId, options) =>
      experimentOf((await call("getExperiment", { experimentId }, options)).experiment),
    getByName,
    getOrCreate: async (request, options) => {
      try {
        return await getByName(request.name, options);
      } catch (error) {
        if (!(error instanceof MillraceError) || error.code !== "RESOURCE_DOES_NOT_EXIST") throw error;
      }
      try {
        await call("createExperiment", request, options);
      } catch (error) {
        // Another program was faster, or our own answer was lost.
        if (!(error instanceof MillraceError) || error.code !== "RESOURCE_ALREADY_EXISTS") throw error;
      }
      return getByName(request.name, options);
    },
    search: (request = {}, options) =>
      listing(async (pageToken) => {
        const answer = await call(
          "searchExperiments",
          { maxResults: EXPERIMENTS_PER_PAGE, ...request, pageToken },
          options,
        );
        return { items: (answer.experiments ?? []).map(experimentOf), nextPageToken: answer.nextPageToken };
      }),
    rename: async (experimentId, newName, options) => {
      await call("updateExperiment", { experimentId, newName }, options);
    },
    delete: async (experimentId, options) => {
      await call("deleteExperiment", { experimentId }, options);
    },
    restore: async (experimentId, options) => {
      await call("restoreExperiment", { experimentId }, options);
    },
    setTag: async (request, options) => {
      await call("setExperimentTag", request, options);
    },
    deleteTag: async (request, options) => {
      await call("deleteExperimentTag", request, options);
    },
    searchDatasets: async (experimentIds, options) =>
      (await call("searchDatasets", { experimentIds }, options)).datasetSummaries ?? [],
  };
}
