/** What may be said of the data sets that a run read. */
import { type Dataset, type DatasetInput, limits } from "@millrace/contract";
import { lastOfEach, type Text } from "./batch.ts";
import { checkLength } from "./keys.ts";

export interface NewDatasetInput {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
  readonly tags: readonly Text[];
}

/** The tag of an input that says what the data was for: training, evaluation. */
export const DATASET_CONTEXT_TAG = "mlflow.data.context";

/**
 * Checks lengths; of inputs with the same name and digest the first one counts.
 * @throws PlatformError INVALID_PARAMETER_VALUE
 */
export function checkDatasetInputs(inputs: readonly DatasetInput[] | undefined): NewDatasetInput[] {
  const distinct = new Map<string, NewDatasetInput>();
  for (const { dataset = {}, tags = [] } of inputs ?? []) {
    const input = checkDatasetInput(dataset, tags);
    const identity = JSON.stringify([input.name, input.digest]);
    if (!distinct.has(identity)) distinct.set(identity, input);
  }
  return [...distinct.values()];
}

function checkDatasetInput(
  dataset: Dataset,
  tags: readonly { readonly key?: string | undefined; readonly value?: string | undefined }[],
): NewDatasetInput {
  for (const { key, value } of tags) {
    checkLength(key, "key", limits.inputTagKeyLengthMax);
    checkLength(value, "value", limits.inputTagValueLengthMax);
  }
  checkLength(dataset.name, "name", limits.datasetNameLengthMax);
  checkLength(dataset.digest, "digest", limits.datasetDigestLengthMax);
  checkLength(dataset.source, "source", limits.datasetSourceLengthMax);
  checkLength(dataset.schema, "schema", limits.datasetSchemaLengthMax);
  checkLength(dataset.profile, "profile", limits.datasetProfileLengthMax);
  return {
    name: dataset.name ?? "",
    digest: dataset.digest ?? "",
    sourceType: dataset.sourceType ?? "",
    source: dataset.source ?? "",
    schema: dataset.schema ?? null,
    profile: dataset.profile ?? null,
    tags: lastOfEach(tags.map(({ key = "", value = "" }) => ({ key, value }))),
  };
}
