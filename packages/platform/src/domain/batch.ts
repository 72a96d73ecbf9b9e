/** What a batch of metrics, params and tags must satisfy before anything of it is written. */
import { type Int64, invalidParameter, type limits } from "@millrace/contract";
import { keyProblem, tooLong, truncate } from "./keys.ts";

export interface NewPoint {
  readonly key: string;
  readonly value: number;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly step?: Int64 | undefined;
  readonly modelId?: string | undefined;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

export interface NewText {
  readonly key: string;
  readonly value?: string | undefined;
}

export interface Text {
  readonly key: string;
  readonly value: string;
}

type Limits = { readonly [K in keyof typeof limits]: number };
export interface LengthRule {
  readonly limits: Limits;
  /** Cut long values instead of refusing them. */
  readonly truncate: boolean;
}

/** A param or run tag as it is stored: checked, and cut where that is the rule. */
export function checkText(
  item: NewText,
  path: string,
  lengthMax: number,
  rule: LengthRule,
  problems: string[],
): Text {
  const keyed = keyProblem(item.key, `${path}key`, rule.limits.keyLengthMax);
  if (keyed !== undefined) problems.push(keyed);
  const value = item.value ?? "";
  const cut = truncate(value, lengthMax);
  if (cut !== value && !rule.truncate) problems.push(tooLong(`${path}value`, lengthMax));
  return { key: item.key, value: cut };
}

/** What is wrong with a point beside its types. Upstream calls a bad key of a metric `name`. */
export function pointProblem(point: NewPoint, path: string, rule: LengthRule): string | undefined {
  const keyed = keyProblem(point.key, `${path}name`, rule.limits.keyLengthMax);
  if (keyed !== undefined) return keyed;
  if (point.timestamp < 0) {
    return `Invalid value ${point.timestamp} for parameter '${path}timestamp' supplied: it must be a non-negative number of milliseconds.`;
  }
  return undefined;
}

/** @throws PlatformError INVALID_PARAMETER_VALUE that names every problem */
export function failOn(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const shown = problems.slice(0, 20);
  const more = problems.length > shown.length ? ` (and ${problems.length - shown.length} more)` : "";
  throw invalidParameter(shown.join(" ") + more, { problems: problems.length });
}

export interface Batch {
  readonly metrics: readonly NewPoint[];
  readonly params: readonly Text[];
  readonly tags: readonly Text[];
}

interface RawBatch {
  readonly metrics?: readonly NewPoint[] | undefined;
  readonly params?: readonly NewText[] | undefined;
  readonly tags?: readonly NewText[] | undefined;
}

function tooMany(count: number, what: string, countMax: number): string | undefined {
  if (count <= countMax) return undefined;
  return `A batch logging request can contain at most ${countMax} ${what}. Got ${count} ${what}. Please split up ${what} across multiple requests and try again.`;
}

/** Checks counts, keys, lengths and duplicates. Of duplicate tags the last one wins; duplicate params are refused. */
export function checkBatch(raw: RawBatch, rule: LengthRule): Batch {
  const metrics = raw.metrics ?? [];
  const rawParams = raw.params ?? [];
  const rawTags = raw.tags ?? [];
  const { limits } = rule;
  const count = metrics.length + rawParams.length + rawTags.length;
  const overfull =
    tooMany(metrics.length, "metrics", limits.metricsPerBatchMax) ??
    tooMany(rawParams.length, "params", limits.paramsPerBatchMax) ??
    tooMany(rawTags.length, "tags", limits.tagsPerBatchMax) ??
    tooMany(count, "metrics, params, and tags", limits.entitiesPerBatchMax);
  if (overfull !== undefined) throw invalidParameter(overfull, { count });

  const problems: string[] = [];
  for (let index = 0; index < metrics.length; index++) {
    const problem = pointProblem(metrics[index]!, `metrics[${index}].`, rule);
    if (problem !== undefined) problems.push(problem);
  }
  const params = rawParams.map((param, index) =>
    checkText(param, `params[${index}].`, limits.paramValueLengthMax, rule, problems),
  );
  const tags = rawTags.map((tag, index) =>
    checkText(tag, `tags[${index}].`, limits.runTagValueLengthMax, rule, problems),
  );
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { key } of params) {
    if (seen.has(key)) twice.add(key);
    seen.add(key);
  }
  if (twice.size > 0) {
    const keys = [...twice].map((key) => `'${key}'`).join(", ");
    problems.push(
      `Duplicate parameter keys have been submitted: [${keys}]. Please ensure the request contains only one param value per param key.`,
    );
  }
  failOn(problems);
  return { metrics, params, tags: lastOfEach(tags) };
}

/** One entry per key, the last one winning. */
export function lastOfEach(items: readonly Text[]): readonly Text[] {
  if (items.length < 2) return items;
  return [...new Map(items.map((item) => [item.key, item])).values()];
}
