import { pointsOf, valuesOf, type Candidate, type MetricPoint } from "./candidate.ts";
import { compareValues } from "./text.ts";
import type { FilterValue, OrderTerm } from "./tree.ts";

/**
 * Compares two candidates by an order, for sorting: numbers and text, then NaN, then what is missing, both
 * for ASC and for DESC. Give it the order with its tie-break; zero means that the order does not tell them apart.
 */
export function compareBy(order: readonly OrderTerm[]): (left: Candidate, right: Candidate) => number {
  return (left, right) => {
    for (const term of order) {
      const a = sortKey(left, term);
      const b = sortKey(right, term);
      if (a.rank !== b.rank) return a.rank - b.rank;
      if (a.rank > 0) continue;
      const compared = compareValues(a.value, b.value);
      if (compared !== 0) return term.ascending ? compared : -compared;
    }
    return 0;
  };
}

interface SortKey {
  /** 0 for a value, 1 for NaN, 2 for none. */
  readonly rank: number;
  readonly value: FilterValue;
}

function sortKey(candidate: Candidate, term: OrderTerm): SortKey {
  const { operand } = term;
  const points = operand.entity === "metric" ? pointsOf(candidate, operand.key) : undefined;
  const value = points === undefined ? valuesOf(candidate, operand)[0] : newest(points, term);
  if (value === undefined) return { rank: 2, value: 0 };
  return { rank: Number.isNaN(value) ? 1 : 0, value };
}

/** The value that orders logged models: latest timestamp, then highest step. */
function newest(points: readonly MetricPoint[], term: OrderTerm): number | undefined {
  const { datasetName, datasetDigest } = term;
  return points
    .filter((point) => datasetName === undefined || point.datasetName === datasetName)
    .filter((point) => datasetDigest === undefined || point.datasetDigest === datasetDigest)
    .reduce<MetricPoint | undefined>(
      (best, point) => (best === undefined || isLater(point, best) ? point : best),
      undefined,
    )?.value;
}

function isLater(point: MetricPoint, than: MetricPoint): boolean {
  const elapsedMs = (point.timestampMs ?? 0) - (than.timestampMs ?? 0);
  return elapsedMs === 0 ? (point.step ?? 0) > (than.step ?? 0) : elapsedMs > 0;
}

/**
 * An order with what decides after it: the default if nothing was asked for, else the tie-break as far as the
 * fields are not named already.
 */
export function completeOrder(
  searchable: { readonly defaultOrder: readonly OrderTerm[]; readonly tieBreak: readonly OrderTerm[] },
  asked: readonly OrderTerm[],
): readonly OrderTerm[] {
  if (asked.length === 0) return searchable.defaultOrder;
  const named = new Set(
    asked.map(({ operand }) => (operand.entity === "attribute" ? operand.key : undefined)),
  );
  return [...asked, ...searchable.tieBreak.filter(({ operand }) => !named.has(operand.key))];
}
