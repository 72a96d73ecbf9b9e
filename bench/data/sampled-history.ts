/**
 * Positions of the points that `get-history-bulk-interval` answers for a run of `count` points sorted by step:
 * NTILE(`buckets`) as in SQL, the first of each bucket, and the run's last point in place of the last one taken.
 */
export function sampledPositions(count: number, buckets: number): number[] {
  const tiles = Math.min(count, buckets);
  const size = Math.floor(count / tiles);
  const larger = count % tiles;
  const positions: number[] = [];
  let at = 0;
  for (let tile = 0; tile < tiles; tile++) {
    positions.push(at);
    at += size + (tile < larger ? 1 : 0);
  }
  if (positions.length > 0) positions[positions.length - 1] = count - 1;
  return positions;
}
