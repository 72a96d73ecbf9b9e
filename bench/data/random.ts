/** A well-mixed 32-bit hash of two integers (finaliser of MurmurHash3): the same data on every run and target. */
export function hash32(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A number in [0, 1) with all 53 bits of its mantissa in use. */
export function uniform(a: number, b: number): number {
  const high = hash32(a, b * 2 + 1) >>> 5;
  const low = hash32(a, b * 2 + 2) >>> 6;
  return (high * 67_108_864 + low) / 9_007_199_254_740_992;
}

/** A stream of numbers in [0, 1). */
export function uniformStream(seed: number): () => number {
  let index = 0;
  return () => uniform(seed, index++);
}
