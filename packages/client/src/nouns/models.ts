import {
  type ModelVersion,
  modelVersionOf,
  present,
  type RegisteredModel,
  registeredModelOf,
} from "../entities.ts";
import type { CallOptions } from "../exchange.ts";
import { type Listing, listing } from "../pages.ts";
import type { Transport } from "../transport.ts";
import type { Fields, SearchFields } from "./request.ts";

const VERSIONS_PER_PAGE = 1_000;

/** The model registry: registered models, their versions, aliases and stages. */
export interface Models {
  /** @throws MillraceError RESOURCE_ALREADY_EXISTS */
  create(request: Fields<"createRegisteredModel">, options?: CallOptions): Promise<RegisteredModel>;
  get(name: string, options?: CallOptions): Promise<RegisteredModel>;
  /** Leaving `description` out clears it. */
  update(request: Fields<"updateRegisteredModel">, options?: CallOptions): Promise<RegisteredModel>;
  rename(name: string, newName: string, options?: CallOptions): Promise<RegisteredModel>;
  /** Takes versions, tags and aliases with it. */
  delete(name: string, options?: CallOptions): Promise<void>;
  search(request?: SearchFields<"searchRegisteredModels">, options?: CallOptions): Listing<RegisteredModel>;
  setTag(request: Fields<"setRegisteredModelTag">, options?: CallOptions): Promise<void>;
  deleteTag(request: Fields<"deleteRegisteredModelTag">, options?: CallOptions): Promise<void>;
  /** The highest version of each stage, or of the stages given. */
  latestVersions(
    request: Fields<"getLatestVersions">,
    options?: CallOptions,
  ): Promise<readonly ModelVersion[]>;
  readonly aliases: Aliases;
  readonly versions: ModelVersions;
}

export interface Aliases {
  /** Points the alias to a version, away from another if need be. */
  set(request: Fields<"setAlias">, options?: CallOptions): Promise<void>;
  get(name: string, alias: string, options?: CallOptions): Promise<ModelVersion>;
  delete(name: string, alias: string, options?: CallOptions): Promise<void>;
}

export interface ModelVersions {
  create(request: Fields<"createModelVersion">, options?: CallOptions): Promise<ModelVersion>;
  get(name: string, version: string, options?: CallOptions): Promise<ModelVersion>;
  /** Leaving `description` out clears it. */
  update(request: Fields<"updateModelVersion">, options?: CallOptions): Promise<ModelVersion>;
  delete(name: string, version: string, options?: CallOptions): Promise<void>;
  /** Aliases are not part of what a search finds. */
  search(request?: SearchFields<"searchModelVersions">, options?: CallOptions): Listing<ModelVersion>;
  /** Where the version's artifacts are. */
  downloadUri(name: string, version: string, options?: CallOptions): Promise<string>;
  setTag(request: Fields<"setModelVersionTag">, options?: CallOptions): Promise<void>;
  deleteTag(request: Fields<"deleteModelVersionTag">, options?: CallOptions): Promise<void>;
  /** Stages are deprecated in favour of aliases, but alive. */
  transitionStage(
    request: Fields<"transitionModelVersionStage">,
    options?: CallOptions,
  ): Promise<ModelVersion>;
}

export function createModels({ call }: Transport): Models {
  return {
    create: async (request, options) =>
      registeredModelOf((await call("createRegisteredModel", request, options)).registeredModel),
    get: async (name, options) =>
      registeredModelOf((await call("getRegisteredModel", { name }, options)).registeredModel),
    update: async (request, options) =>
      registeredModelOf((await call("updateRegisteredModel", request, options)).registeredModel),
    rename: async (name, newName, options) =>
      registeredModelOf((await call("renameRegisteredModel", { name, newName }, options)).registeredModel),
    delete: async (name, options) => {
      await call("deleteRegisteredModel", { name }, options);
    },
    search: (request = {}, options) =>
      listing(async (pageToken) => {
        const answer = await call("searchRegisteredModels", { ...request, pageToken }, options);
        const items = (answer.registeredModels ?? []).map(registeredModelOf);
        return { items, nextPageToken: answer.nextPageToken };
      }),
    setTag: async (request, options) => {
      await call("setRegisteredModelTag", request, options);
    },
    deleteTag: async (request, options) => {
      await call("deleteRegisteredModelTag", request, options);
    },
    latestVersions: async (request, options) =>
      ((await call("getLatestVersions", request, options)).modelVersions ?? []).map(modelVersionOf),
    aliases: createAliases(call),
    versions: createVersions(call),
  };
}

function createAliases(call: Transport["call"]): Aliases {
  return {
    set: async (request, options) => {
      await call("setAlias", request, options);
    },
    get: async (name, alias, options) =>
      modelVersionOf((await call("getModelVersionByAlias", { name, alias }, options)).modelVersion),
    delete: async (name, alias, options) => {
      await call("deleteAlias", { name, alias }, options);
    },
  };
}

function createVersions(call: Transport["call"]): ModelVersions {
  return {
    create: async (request, options) =>
      modelVersionOf((await call("createModelVersion", request, options)).modelVersion),
    get: async (name, version, options) =>
      modelVersionOf((await call("getModelVersion", { name, version }, options)).modelVersion),
    update: async (request, options) =>
      modelVersionOf((await call("updateModelVersion", request, options)).modelVersion),
    delete: async (name, version, options) => {
      await call("deleteModelVersion", { name, version }, options);
    },
    search: (request = {}, options) =>
      listing(async (pageToken) => {
        const answer = await call(
          "searchModelVersions",
          { maxResults: VERSIONS_PER_PAGE, ...request, pageToken },
          options,
        );
        return {
          items: (answer.modelVersions ?? []).map(modelVersionOf),
          nextPageToken: answer.nextPageToken,
        };
      }),
    downloadUri: async (name, version, options) =>
      present(
        (await call("getModelVersionDownloadUri", { name, version }, options)).artifactUri,
        "artifact_uri",
      ),
    setTag: async (request, options) => {
      await call("setModelVersionTag", request, options);
    },
    deleteTag: async (request, options) => {
      await call("deleteModelVersionTag", request, options);
    },
    transitionStage: async (request, options) =>
      modelVersionOf((await call("transitionModelVersionStage", request, options)).modelVersion),
  };
}
