import type { Aggregate, DatasetKey, FilterValue, Operand } from "./tree.ts";

type Lookup<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>;

/** What a search looks at: one run, experiment, logged model, registered model or model version. */
export interface Candidate {
  /** By canonical key. Null and undefined are missing. */
  readonly attributes: Readonly<Record<string, string | number | null | undefined>>;
  readonly params?: Lookup<string>;
  readonly tags?: Lookup<string>;
  /** A run has one summary per key, a logged model all its points. */
  readonly metrics?: Lookup<MetricSummary | readonly MetricPoint[]>;
  readonly datasets?: readonly Readonly<Partial<Record<DatasetKey, string | null>>>[];
}

/** A run's metric. NaN is NaN. min and max are over the other values; without any, NaN or left out. */
export interface MetricSummary {
  readonly latest: number;
  readonly first?: number;
  readonly min?: number | null;
  readonly max?: number | null;
}

/** A logged model's metric value. */
export interface MetricPoint {
  readonly value: number;
  readonly datasetName?: string | null;
  readonly datasetDigest?: string | null;
  readonly timestampMs?: number;
  readonly step?: number;
}

/** Only values on one of these datasets count for a logged model's metrics. None: all count. */
export interface DatasetChoice {
  readonly name: string;
  readonly digest?: string;
}

/**
 * All values that an operand has; none if it is missing.
 * @param datasets for a logged model's metrics; none means all
 */
export function valuesOf(
  candidate: Candidate,
  operand: Operand,
  datasets: readonly DatasetChoice[] = [],
): readonly FilterValue[] {
  switch (operand.entity) {
    case "attribute":
      return present(find(candidate.attributes, operand.key));
    case "param":
      return present(find(candidate.params, operand.key));
    case "tag":
      return present(find(candidate.tags, operand.key));
    case "dataset":
      return (candidate.datasets ?? []).flatMap((dataset) => present(dataset[operand.key]));
    case "metric": {
      const metric = find(candidate.metrics, operand.key);
      if (metric === undefined) return [];
      if (isSummary(metric)) return present(aggregated(metric, operand.aggregate));
      return metric.filter((point) => isOn(point, datasets)).map((point) => point.value);
    }
  }
}

/** Tells a run's metric from a logged model's. */
function isSummary(metric: MetricSummary | readonly MetricPoint[]): metric is MetricSummary {
  return !Array.isArray(metric);
}

function isOn(point: MetricPoint, datasets: readonly DatasetChoice[]): boolean {
  return (
    datasets.length === 0 ||
    datasets.some(
      ({ name, digest }) =>
        point.datasetName === name && (digest === undefined || point.datasetDigest === digest),
    )
  );
}

function aggregated(metric: MetricSummary, aggregate: Aggregate): number | undefined {
  if (aggregate === "last") return metric.latest;
  if (aggregate === "first") return metric.first;
  const value = metric[aggregate];
  return value === null || Number.isNaN(value) ? undefined : value;
}

function present(value: FilterValue | null | undefined): readonly FilterValue[] {
  return value === null || value === undefined ? [] : [value];
}

function find<T>(lookup: Lookup<T> | undefined, key: string): T | undefined {
  if (lookup === undefined) return undefined;
  if (lookup instanceof Map) return (lookup as ReadonlyMap<string, T>).get(key);
  return Object.hasOwn(lookup, key) ? (lookup as Readonly<Record<string, T>>)[key] : undefined;
}

/** The points of a logged model's metric; undefined for a run's metric, and when there is none. */
export function pointsOf(candidate: Candidate, key: string): readonly MetricPoint[] | undefined {
  const metric = find(candidate.metrics, key);
  return metric === undefined || isSummary(metric) ? undefined : metric;
}
