/**
 * Entities as the client gives them: what every server fills in is not optional, and lists are always there.
 * On the wire all of it is optional, and an empty list is left out.
 */
import type * as wire from "@millrace/contract";
import { PlatformError } from "@millrace/contract";

/** `T` with the named fields present. */
type Present<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: NonNullable<T[P]> };

export type Tag = Present<wire.Tag, "key" | "value">;
export type Param = Tag;
export type Metric = Present<wire.Metric, "key" | "value" | "timestamp" | "step">;

export type Experiment = Omit<Present<wire.Experiment, "experimentId" | "name">, "tags"> & {
  readonly tags: readonly Tag[];
};

export type RunInfo = Present<wire.RunInfo, "runId" | "experimentId" | "status">;
export interface RunData {
  readonly metrics: readonly Metric[];
  readonly params: readonly Param[];
  readonly tags: readonly Tag[];
}
export interface Run {
  readonly info: RunInfo;
  readonly data: RunData;
  readonly inputs: { readonly [K in keyof wire.RunInputs]-?: NonNullable<wire.RunInputs[K]> };
  readonly outputs: { readonly [K in keyof wire.RunOutputs]-?: NonNullable<wire.RunOutputs[K]> };
}

export type LoggedModelInfo = Omit<Present<wire.LoggedModelInfo, "modelId" | "experimentId">, "tags"> & {
  readonly tags: readonly Tag[];
};
export interface LoggedModel {
  readonly info: LoggedModelInfo;
  readonly data: { readonly params: readonly Param[]; readonly metrics: readonly Metric[] };
}

export type ModelVersion = Omit<Present<wire.ModelVersion, "name" | "version" | "aliases">, "tags"> & {
  readonly tags: readonly Tag[];
};
export type RegisteredModel = Omit<
  Present<wire.RegisteredModel, "name">,
  "tags" | "aliases" | "latestVersions"
> & {
  readonly tags: readonly Tag[];
  readonly aliases: readonly Present<wire.RegisteredModelAlias, "alias" | "version">[];
  readonly latestVersions: readonly ModelVersion[];
};

export type FileInfo = Present<wire.FileInfo, "path" | "isDir">;

/** @throws PlatformError INTERNAL_ERROR when a server left out what its answer is about. */
export function present<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new PlatformError("INTERNAL_ERROR", `The server's answer holds no ${what}.`, { missing: what });
}

const tags = (list: readonly wire.Tag[] = []): readonly Tag[] =>
  list.map(({ key, value }) => ({ key: key ?? "", value: value ?? "" }));

/** A point without a step is at step 0, as everywhere in the protocol. */
export function metricOf(metric: wire.Metric): Metric {
  return {
    ...metric,
    key: metric.key ?? "",
    value: metric.value ?? 0,
    timestamp: metric.timestamp ?? 0,
    step: metric.step ?? 0,
  };
}

export function experimentOf(experiment: wire.Experiment | undefined): Experiment {
  const { experimentId, name, ...rest } = present(experiment, "experiment");
  return {
    ...rest,
    experimentId: present(experimentId, "experiment_id"),
    name: name ?? "",
    tags: tags(rest.tags),
  };
}

export function runInfoOf(info: wire.RunInfo | undefined): RunInfo {
  const given = present(info, "run info");
  return {
    ...given,
    runId: present(given.runId ?? given.runUuid, "run_id"),
    experimentId: given.experimentId ?? "",
    status: given.status ?? "RUNNING",
  };
}

export function runOf(run: wire.Run | undefined): Run {
  const { info, data, inputs, outputs } = present(run, "run");
  return {
    info: runInfoOf(info),
    data: {
      metrics: (data?.metrics ?? []).map(metricOf),
      params: tags(data?.params),
      tags: tags(data?.tags),
    },
    inputs: { datasetInputs: inputs?.datasetInputs ?? [], modelInputs: inputs?.modelInputs ?? [] },
    outputs: { modelOutputs: outputs?.modelOutputs ?? [] },
  };
}

export function loggedModelOf(model: wire.LoggedModel | undefined): LoggedModel {
  const { info, data } = present(model, "model");
  const given = present(info, "model info");
  return {
    info: {
      ...given,
      modelId: present(given.modelId, "model_id"),
      experimentId: given.experimentId ?? "",
      tags: tags(given.tags),
    },
    data: { params: tags(data?.params), metrics: (data?.metrics ?? []).map(metricOf) },
  };
}

export function modelVersionOf(version: wire.ModelVersion | undefined): ModelVersion {
  const given = present(version, "model version");
  return {
    ...given,
    name: given.name ?? "",
    version: present(given.version, "version"),
    tags: tags(given.tags),
    aliases: given.aliases ?? [],
  };
}

export function registeredModelOf(model: wire.RegisteredModel | undefined): RegisteredModel {
  const given = present(model, "registered model");
  return {
    ...given,
    name: present(given.name, "name"),
    tags: tags(given.tags),
    aliases: (given.aliases ?? []).map(({ alias, version }) => ({
      alias: alias ?? "",
      version: version ?? "",
    })),
    latestVersions: (given.latestVersions ?? []).map(modelVersionOf),
  };
}

export function fileInfoOf({ path, isDir, fileSize }: wire.FileInfo): FileInfo {
  return { path: path ?? "", isDir: isDir ?? false, ...(fileSize === undefined ? {} : { fileSize }) };
}
