const blocks = "▁▂▃▄▅▆▇█";

/** A line of bars, at most `columns` wide: each shows the mean of its share of the values. NaN leaves a gap. */
export function sparkline(values: readonly number[], columns: number): string {
  const finite = values.filter((value) => !Number.isNaN(value));
  if (finite.length === 0 || columns < 1) return "";
  const bars = Math.min(columns, values.length);
  const means: number[] = [];
  for (let bar = 0; bar < bars; bar++) {
    const from = Math.floor((bar * values.length) / bars);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * values.length) / bars));
    let sum = 0;
    let known = 0;
    for (let at = from; at < to; at++) {
      if (Number.isNaN(values[at]!)) continue;
      // Halved, so that the largest doubles do not add up to infinity.
      sum += values[at]! / 2;
      known++;
    }
    means.push(known === 0 ? Number.NaN : (sum / known) * 2);
  }
  const shown = means.filter((value) => Number.isFinite(value));
  const least = Math.min(...shown);
  const range = Math.max(...shown) / 2 - least / 2;
  return means
    .map((value) => {
      if (Number.isNaN(value)) return " ";
      if (!(range > 0)) return blocks[3];
      const share = (Math.min(value, Number.MAX_VALUE) / 2 - least / 2) / range;
      return blocks[Math.min(blocks.length - 1, Math.max(0, Math.floor(share * blocks.length)))];
    })
    .join("");
}
