import type { Candidate, MetricSummary } from "./candidate.ts";
import { allOf } from "./tree.ts";
import type { Aggregate, Condition, Filter, FilterValue, Operand, OrderTerm } from "./tree.ts";

/**
 * Seeded runs, filters and orders for tests: the SQL search must agree with `matches` and `compareBy` on them.
 * Keys and values come from small pools, so that filters find something; the pools hold what databases
 * disagree about (case, LIKE and GLOB signs, code points beyond UTF-16, NaN, the largest doubles).
 */
export interface RandomRun extends Candidate {
  readonly attributes: {
    readonly run_id: string;
    readonly run_name: string;
    readonly status: string;
    readonly user_id: string;
    readonly artifact_uri: string;
    readonly start_time: number;
    readonly end_time: number | null;
  };
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  readonly metrics: ReadonlyMap<string, MetricSummary>;
  /** What the summaries sum up: no two points of a key share step and timestamp. */
  readonly points: ReadonlyMap<string, readonly RandomPoint[]>;
  readonly datasets: readonly {
    readonly name: string;
    readonly digest: string;
    readonly context: string | null;
  }[];
}

export interface RandomPoint {
  readonly step: number;
  readonly timestampMs: number;
  readonly value: number;
}

export interface RandomFilterOptions {
  /** Only what a stock MLflow server takes: a conjunction without our additions. Default false. */
  readonly mlflowOnly?: boolean;
}

const metricKeys = ["loss", "acc", "Acc", "val loss", "system/cpu", "é"];
const paramKeys = ["lr", "LR", "a.b", "opt name", "x-y"];
const tagKeys = ["team", "Team", "mlflow.source.name", "note/1"];
const texts = [
  "",
  "a",
  "A",
  "ab",
  "AB",
  "aB",
  "abc",
  "a%c",
  "a_c",
  "a*c",
  "a?c",
  "[a]",
  "é",
  "É",
  "ß",
  "Ａ",
  "😀",
  "😀a",
  "\u{10ffff}",
  "\uffff",
  "a b",
  " a",
  "a ",
  "0",
  "10",
  "9",
  "0.1",
  "it's",
  'say "a"',
  "back\\",
  "line\nbreak",
];
const numbers = [
  0,
  1,
  -1,
  0.1,
  0.30000000000000004,
  0.3,
  2.5,
  100,
  1e-9,
  -1e-9,
  1e15,
  5e-324,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
];
const patterns = [
  "%",
  "_",
  "a%",
  "%a",
  "%b%",
  "A_",
  "_b%",
  "a%c",
  "%é",
  "%😀%",
  "a*c",
  "[a]",
  "",
  "%%",
  "__",
];
const statuses = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
const datasetNames = ["wine", "Wine", "iris"];
const contexts = ["training", "eval", "Eval"];
const startMs = 1_700_000_000_000;

/** @returns `count` runs; the same seed gives the same runs */
export function randomRuns(seed: number, count: number): readonly RandomRun[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => randomRun(random));
}

function randomRun(random: Random): RandomRun {
  const points = new Map(
    metricKeys
      .filter(() => random.chance(0.6))
      .map((key): [string, readonly RandomPoint[]] => [key, randomPoints(random)]),
  );
  const startTime = startMs + random.below(5) * 1_000;
  return {
    attributes: {
      run_id: Array.from({ length: 32 }, () => random.below(16).toString(16)).join(""),
      run_name: random.pick(texts.filter((text) => text !== "")),
      status: random.pick(statuses),
      user_id: random.pick(texts),
      artifact_uri: `s3://bucket/${random.pick(["a", "B", "c_d"])}`,
      start_time: startTime,
      end_time: random.chance(0.3) ? null : startTime + random.below(3) * 500,
    },
    params: randomTexts(random, paramKeys),
    tags: randomTexts(random, tagKeys),
    points,
    metrics: new Map(Array.from(points, ([key, history]) => [key, summaryOf(history)])),
    datasets: datasetNames
      .filter(() => random.chance(0.4))
      .map((name) => ({
        name,
        digest: `d${random.below(3)}`,
        context: random.chance(0.3) ? null : random.pick(contexts),
      })),
  };
}

function randomTexts(random: Random, keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(keys.filter(() => random.chance(0.6)).map((key) => [key, random.pick(texts)]));
}

function randomPoints(random: Random): readonly RandomPoint[] {
  const count = 1 + random.below(4);
  const steps = Array.from({ length: count }, (_, index) => (index - 1) * (1 + random.below(2)));
  return random.shuffled(
    steps.map((step, index) => ({
      step,
      timestampMs: startMs + index * 10 + random.below(10),
      value: random.chance(0.15) ? Number.NaN : random.pick(numbers),
    })),
  );
}

function summaryOf(points: readonly RandomPoint[]): MetricSummary {
  const sorted = points.toSorted((a, b) => a.step - b.step || a.timestampMs - b.timestampMs);
  const numeric = sorted.map(({ value }) => value).filter((value) => !Number.isNaN(value));
  return {
    first: sorted[0]?.value ?? Number.NaN,
    latest: sorted.at(-1)?.value ?? Number.NaN,
    min: numeric.length === 0 ? null : Math.min(...numeric),
    max: numeric.length === 0 ? null : Math.max(...numeric),
  };
}

/** A filter for `randomRuns`; its text is `printFilter` of it. */
export function randomFilter(seed: number, options: RandomFilterOptions = {}): Filter {
  const random = new Random(seed);
  if (options.mlflowOnly === true) {
    return allOf(...Array.from({ length: 1 + random.below(3) }, () => mlflowCondition(random)));
  }
  return randomTree(random, 3);
}

function randomTree(random: Random, depth: number): Filter {
  const roll = random.below(10);
  if (depth === 0 || roll < 4) return randomCondition(random);
  if (roll < 5) return { kind: "not", term: randomTree(random, depth - 1) };
  return {
    kind: roll < 8 ? "and" : "or",
    terms: Array.from({ length: 2 + random.below(2) }, () => randomTree(random, depth - 1)),
  };
}

function randomCondition(random: Random): Condition {
  const left = randomOperand(random, true);
  const value = (): FilterValue => randomValue(random, left);
  const negated = random.chance(0.4);
  switch (random.below(8)) {
    case 0:
      return { kind: "null", left, negated };
    case 1:
      return { kind: "in", left, negated, values: Array.from({ length: 1 + random.below(3) }, value) };
    case 2:
      return { kind: "between", left, negated, low: value(), high: value() };
    default:
      return randomComparison(random, left);
  }
}

/** A condition that MLflow takes. It has no way to write a text that ends in a backslash. */
function mlflowCondition(random: Random): Condition {
  for (;;) {
    const condition = plainCondition(random);
    if (!JSON.stringify(condition).includes("back")) return condition;
  }
}

function plainCondition(random: Random): Condition {
  const left = randomOperand(random, false);
  const negated = random.chance(0.4);
  const value = (): FilterValue => randomValue(random, left);
  const listed = left.entity === "dataset" || (left.entity === "attribute" && left.key === "run_id");
  if (listed && random.chance(0.3)) {
    return { kind: "in", left, negated, values: Array.from({ length: 1 + random.below(3) }, value) };
  }
  if ((left.entity === "param" || left.entity === "tag") && random.chance(0.2)) {
    return { kind: "null", left, negated };
  }
  return randomComparison(random, left);
}

function randomComparison(random: Random, left: Operand): Condition {
  if (isNumeric(left)) {
    const operator = random.pick(["=", "!=", ">", ">=", "<", "<="] as const);
    return { kind: "comparison", left, operator, value: randomValue(random, left) };
  }
  const operator = random.pick(["=", "!=", "LIKE", "ILIKE"] as const);
  const isPattern = operator === "LIKE" || operator === "ILIKE";
  const value = isPattern && random.chance(0.8) ? random.pick(patterns) : randomValue(random, left);
  return { kind: "comparison", left, operator, value };
}

function randomOperand(random: Random, withAggregates: boolean): Operand {
  switch (random.below(6)) {
    case 0:
    case 1: {
      const aggregate: Aggregate = withAggregates
        ? random.pick(["last", "last", "min", "max", "first"] as const)
        : "last";
      return { entity: "metric", key: random.pick(metricKeys), aggregate };
    }
    case 2:
      return { entity: "param", key: random.pick(paramKeys) };
    case 3:
      return { entity: "tag", key: random.pick(tagKeys) };
    case 4:
      return { entity: "dataset", key: random.pick(["name", "digest", "context"] as const) };
    default:
      return { entity: "attribute", key: random.pick(attributeKeys) };
  }
}

const attributeKeys = [
  "run_id",
  "run_name",
  "status",
  "user_id",
  "artifact_uri",
  "start_time",
  "end_time",
] as const;

function isNumeric(operand: Operand): boolean {
  return operand.entity === "metric" || isTime(operand);
}

function isTime({ entity, key }: Operand): boolean {
  return entity === "attribute" && (key === "start_time" || key === "end_time");
}

function randomValue(random: Random, left: Operand): FilterValue {
  if (left.entity === "metric") return random.pick([...numbers, Infinity, -Infinity]);
  if (isTime(left)) return startMs + random.below(12) * 500;
  if (left.entity === "dataset") return random.pick([...datasetNames, ...contexts, "d0", "d1"]);
  if (left.entity === "attribute" && left.key === "status") return random.pick(statuses);
  return random.pick(texts);
}

/** An order for `randomRuns`, without a field twice; one clause is `printOrderTerm` of a term. */
export function randomOrder(seed: number, options: RandomFilterOptions = {}): readonly OrderTerm[] {
  const random = new Random(seed);
  const terms = new Map<string, OrderTerm>();
  for (let count = random.below(4); count > 0; count--) {
    const operand = randomOperand(random, options.mlflowOnly !== true);
    if (operand.entity === "dataset") continue;
    terms.set(JSON.stringify(operand), { operand, ascending: random.chance(0.5) });
  }
  return [...terms.values()];
}

/** Mulberry32: small, and the same in every runtime. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * end);
  }

  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  pick<T>(pool: readonly [T, ...T[]] | readonly T[]): T {
    const picked = pool[this.below(pool.length)];
    if (picked === undefined) throw new RangeError("nothing to pick from");
    return picked;
  }

  shuffled<T>(items: readonly T[]): readonly T[] {
    return items
      .map((item) => ({ item, at: this.below(2 ** 30) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }
}
