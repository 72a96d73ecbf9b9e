import { type LoggedModel, loggedModelOf } from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import { type Listing, listing } from "../pages.ts";
import type { Transport } from "../transport.ts";
import type { Fields, SearchFields } from "./request.ts";

/** Models as runs log them, before and without registration. */
export interface LoggedModels {
  /** The model is pending until `finalize` says that its artifacts are complete. */
  create(request: Fields<"createLoggedModel">, options?: CallOptions): Promise<LoggedModel>;
  get(modelId: string, options?: CallOptions): Promise<LoggedModel>;
  search(request: SearchFields<"searchLoggedModels">, options?: CallOptions): Listing<LoggedModel>;
  finalize(request: Fields<"finalizeLoggedModel">, options?: CallOptions): Promise<LoggedModel>;
  delete(modelId: string, options?: CallOptions): Promise<void>;
  setTags(request: Fields<"setLoggedModelTags">, options?: CallOptions): Promise<void>;
  deleteTag(modelId: string, tagKey: string, options?: CallOptions): Promise<void>;
  logParams(request: Fields<"logLoggedModelParams">, options?: CallOptions): Promise<void>;
}

export function createLoggedModels({ call }: Transport): LoggedModels {
  return {
    create: async (request, options) =>
      loggedModelOf((await call("createLoggedModel", request, options)).model),
    get: async (modelId, options) =>
      loggedModelOf((await call("getLoggedModel", { modelId }, options)).model),
    search: (request, options) =>
      listing(async (pageToken) => {
        const answer = await call("searchLoggedModels", { ...request, pageToken }, options);
        return { items: (answer.models ?? []).map(loggedModelOf), nextPageToken: answer.nextPageToken };
      }),
    finalize: async (request, options) =>
      loggedModelOf((await call("finalizeLoggedModel", request, options)).model),
    delete: async (modelId, options) => {
      await call("deleteLoggedModel", { modelId }, options);
    },
    setTags: async (request, options) => {
      await call("setLoggedModelTags", request, options);
    },
    deleteTag: async (modelId, tagKey, options) => {
      await call("deleteLoggedModelTag", { modelId, tagKey }, options);
    },
    logParams: async (request, options) => {
      await call("logLoggedModelParams", request, options);
    },
  };
}
