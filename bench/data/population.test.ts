import { expect, test } from "vitest";
import { createRunBody, logBatchBody, metricValue, paramValue, Population, tagValue } from "./population.ts";

const size = 4_000;

function population(): Population {
  const made = new Population("1");
  for (let i = 0; i < size; i++) made.runIds.push(`run${String(i)}`);
  return made;
}

function correlation(a: (i: number) => number, b: (i: number) => number): number {
  let [sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0];
  for (let i = 0; i < size; i++) {
    const [x, y] = [a(i), b(i)];
    sa += x;
    sb += y;
    saa += x * x;
    sbb += y * y;
    sab += x * y;
  }
  return (size * sab - sa * sb) / Math.sqrt((size * saa - sa * sa) * (size * sbb - sb * sb));
}

test("m1 is independent of the filtered metric and m2 falls with it", () => {
  const metric = (k: number) => (i: number) => metricValue(i, k);
  expect(Math.abs(correlation(metric(0), metric(1)))).toBeLessThan(0.05);
  expect(correlation(metric(0), metric(2))).toBeLessThan(-0.99);
});

test.each([0.001, 0.1, 0.9])("a threshold on m0 keeps about the share %d, and no values tie", (share) => {
  const values = Array.from({ length: size }, (_, i) => metricValue(i, 0));
  const kept = values.filter((value) => value > 1 - share).length / size;
  expect(Math.abs(kept - share)).toBeLessThan(0.02);
  expect(new Set(values).size).toBe(size);
});

test("expected ids agree with filtering and sorting the bodies that were sent", () => {
  interface Sent {
    readonly id: string;
    readonly metrics: readonly { readonly key: string; readonly value: number }[];
    readonly params: readonly { readonly key: string; readonly value: string }[];
    readonly start_time: number;
  }
  const runs = population();
  const sent = runs.runIds.map((id, i) => ({
    ...(logBatchBody(id, i) as Sent),
    ...(createRunBody("1", i) as Sent),
    id,
  }));
  const value = (run: Sent, key: string): number =>
    run.metrics.find((metric) => metric.key === key)?.value ?? 0;
  const byMetric = sent
    .filter((run) => value(run, "m0") > 0.9)
    .sort((a, b) => value(b, "m2") - value(a, "m2"))
    .map((run) => run.id);
  const keep = (i: number): boolean => metricValue(i, 0) > 0.9;
  expect(runs.expectedIds({ keep, orderMetric: 2, limit: 50 })).toEqual(byMetric.slice(0, 50));
  expect(runs.expectedIds({ keep, orderMetric: 2, limit: 50, offset: 30 })).toEqual(byMetric.slice(30, 80));
  const byTime = sent
    .filter((run) => run.params[0]?.value === "adam")
    .sort((a, b) => b.start_time - a.start_time)
    .map((run) => run.id);
  expect(runs.expectedIds({ keep: (i) => paramValue(i, 0) === "adam", limit: 1_000 })).toEqual(
    byTime.slice(0, 1_000),
  );
});

test("growing the population renews the order", () => {
  const runs = population();
  expect(runs.expectedIds({ limit: 1 })).toEqual([`run${String(size - 1)}`]);
  runs.runIds.push("newest");
  expect(runs.expectedIds({ limit: 1 })).toEqual(["newest"]);
});

test("tags are eight hexadecimal digits, of which some hold ab", () => {
  const tags = Array.from({ length: size }, (_, i) => tagValue(i, 0));
  expect(tags.every((tag) => /^[0-9a-f]{8}$/.test(tag))).toBe(true);
  // Seven places for two fixed digits: 7/256 less overlaps.
  const share = tags.filter((tag) => tag.includes("ab")).length / size;
  expect(Math.abs(share - 7 / 256)).toBeLessThan(0.01);
});
