/** The q-quantile (0 to 1) of sorted numbers by the nearest-rank method: always a value that was observed. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.ceil(q * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? Number.NaN;
}

/** The median, the mean of the two middle values for an even count. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Measured durations in a growing typed array, so that recording costs no allocation per request. */
export class Samples {
  #values = new Float64Array(4096);
  #count = 0;
  #sorted = false;

  static merge(all: readonly Samples[]): Samples {
    const merged = new Samples();
    for (const samples of all) for (let i = 0; i < samples.#count; i++) merged.add(samples.#values[i] ?? 0);
    return merged;
  }

  static of(values: readonly number[]): Samples {
    const samples = new Samples();
    for (const value of values) samples.add(value);
    return samples;
  }

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = value;
    this.#sorted = false;
  }

  quantile(q: number): number {
    const values = this.#values.subarray(0, this.#count);
    if (!this.#sorted) values.sort();
    this.#sorted = true;
    return quantile(values, q);
  }

  get p50(): number {
    return this.quantile(0.5);
  }

  get p99(): number {
    return this.quantile(0.99);
  }

  get max(): number {
    return this.quantile(1);
  }

  /** `p50 0.41, p99 1.20, max 3.40 ms (n 3000)` */
  toString(): string {
    const [p50, p99, max] = [this.p50, this.p99, this.max].map((ms) => ms.toFixed(ms < 10 ? 2 : 1));
    return `p50 ${String(p50)}, p99 ${String(p99)}, max ${String(max)} ms (n ${String(this.#count)})`;
  }
}
