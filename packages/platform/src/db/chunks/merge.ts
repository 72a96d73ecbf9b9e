import {
  comparePoints,
  concatPoints,
  copyPoint,
  type PointOrder,
  type Points,
  sortPoints,
  wideSteps,
} from "./points.ts";

/**
 * All points of all sources in one order; equal points (0 and −0 are) are all kept, in no particular order.
 * Sources that are in the order already are not sorted again, and sources that do not overlap are only copied.
 * The result may share memory with a source when there is only one.
 */
export function mergePoints(sources: readonly Points[], order: PointOrder): Points {
  const filled = sources.filter((source) => source.count > 0);
  const wide = filled.some((source) => source.steps instanceof BigInt64Array);
  const parts = filled
    .map((source) => sortPoints(wide ? { ...source, steps: wideSteps(source.steps) } : source, order))
    .toSorted((a, b) => comparePoints(a, 0, b, 0, order));
  return concatPoints(overlapping(parts, order).map((group) => mergeAll(chains(group, order), order)));
}

/** Cuts parts, ordered by their first point, into groups such that no two groups overlap. */
function overlapping(parts: readonly Points[], order: PointOrder): Points[][] {
  const groups: Points[][] = [];
  let reach: Points | undefined;
  for (const part of parts) {
    const group = groups.at(-1);
    if (group === undefined || reach === undefined || compareEnds(reach, part, order) <= 0) {
      groups.push([part]);
      reach = part;
      continue;
    }
    group.push(part);
    if (comparePoints(reach, reach.count - 1, part, part.count - 1, order) < 0) reach = part;
  }
  return groups;
}

/**
 * Strings parts together that follow one another, so that late points spread over many chunks are one merge of
 * two long sources, not one for each chunk.
 */
function chains(parts: readonly Points[], order: PointOrder): Points[] {
  const links: Points[][] = [];
  for (const part of parts) {
    const chain = links.find((each) => compareEnds(each.at(-1)!, part, order) <= 0);
    if (chain === undefined) links.push([part]);
    else chain.push(part);
  }
  return links.map(concatPoints);
}

/** The last point of `a` against the first of `b`. */
function compareEnds(a: Points, b: Points, order: PointOrder): number {
  return comparePoints(a, a.count - 1, b, 0, order);
}

/** Merges neighbours two by two until one is left: every point is copied about log2(k) times. */
function mergeAll(parts: readonly Points[], order: PointOrder): Points {
  let round = parts;
  while (round.length > 1) {
    const next: Points[] = [];
    for (let i = 0; i < round.length; i += 2) {
      const right = round[i + 1];
      next.push(right === undefined ? round[i]! : mergeTwo(round[i]!, right, order));
    }
    round = next;
  }
  return round[0]!;
}

function mergeTwo(a: Points, b: Points, order: PointOrder): Points {
  if (compareEnds(a, b, order) <= 0) return concatPoints([a, b]);
  const all = concatPoints([a, b]);
  let i = 0;
  let j = 0;
  for (let at = 0; at < all.count; at++) {
    const fromA = i < a.count && (j >= b.count || comparePoints(a, i, b, j, order) <= 0);
    if (fromA) copyPoint(a, i++, all, at);
    else copyPoint(b, j++, all, at);
  }
  return all;
}
