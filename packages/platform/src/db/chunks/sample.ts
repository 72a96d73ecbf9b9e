/**
 * Which of `count` points, in the order (step, timestamp, value), stand for the whole run when at most
 * `resultsMax` may be returned: the first of each bucket that SQL's NTILE(resultsMax) makes (sizes differ by at
 * most one, the larger buckets first), then the last one taken gives way to the last point of all. With fewer
 * points than buckets, all of them. A `resultsMax` below 1 counts as 1, as it does in MLflow.
 */
export function sampleIndices(count: number, resultsMax: number): Uint32Array {
  const buckets = Math.min(count, Math.max(1, resultsMax));
  const indices = new Uint32Array(buckets);
  if (buckets === 0) return indices;
  const size = Math.floor(count / buckets);
  const larger = count % buckets;
  for (let bucket = 0; bucket < buckets; bucket++) indices[bucket] = bucket * size + Math.min(bucket, larger);
  indices[buckets - 1] = count - 1;
  return indices;
}
