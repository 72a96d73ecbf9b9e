import { expect, test } from "vitest";
import type { Figure, Measurement } from "../session.ts";
import type { TargetName } from "../targets/target.ts";
import {
  allRight,
  formatValue,
  renderMarkdown,
  tableCells,
  type Report,
  type TargetResults,
} from "./table.ts";

const figures: Figure[] = [
  {
    id: "w.rate",
    title: "rate",
    unit: "/s",
    better: "higher",
    goals: [{ bound: "at least", value: 100, synced: true }],
  },
  { id: "w.p99", title: "p99", unit: "ms", better: "lower", goals: [{ bound: "at most", value: 20 }] },
];

function target(name: TargetName, rate?: Measurement, p99?: Measurement): TargetResults {
  const measurements: Record<string, Measurement> = {};
  if (rate !== undefined) measurements["w.rate"] = rate;
  if (p99 !== undefined) measurements["w.p99"] = p99;
  return {
    name,
    title: name,
    durability: "d",
    artifactDurability: "a",
    measurements,
    skipped: {},
    failed: {},
  };
}

function report(targets: TargetResults[]): Report {
  const machine = {
    cpus: 2,
    cpuModel: "x",
    node: "26",
    sqlite: "3",
    kernel: "k",
    fsyncProbe: "p",
    fsyncProbeMs: 0.1,
  };
  return {
    startedAt: "2026-01-02T03:04:05Z",
    machine: { ...machine, loadAverage: [0, 0, 0] },
    workloads: [{ name: "w", figures }],
    targets,
  };
}

test("a row shows bound, verdict, and the ratio to the better MLflow in the figure's own direction", () => {
  const [, rate, p99] = tableCells(
    report([
      target("millrace", { value: 500, echo: 9_000, probeMs: 0.1 }, { value: 40, probeMs: 0.1 }),
      target("mlflow-1", { value: 20, at: "at 5 runs" }, { value: 80 }),
      target("mlflow-default", { value: 50 }, { value: 400 }),
    ]),
  );
  expect(rate).toEqual(["rate", "≥ 100/s", "500/s", "met", "20/s at 5 runs", "50/s", "10 ×", "9,000/s"]);
  expect(p99).toEqual(["p99", "≤ 20 ms", "40 ms", "missed", "80 ms", "400 ms", "2.0 ×", ""]);
});

test("wrong answers are shown, keep a set-up out of the ratio, and fail the session", () => {
  const wrong = report([
    target("millrace", { value: 500 }),
    target("mlflow-1", { value: 900, errors: 3, firstError: "status 500" }),
    target("mlflow-default", { value: 50 }),
  ]);
  const [, rate] = tableCells(wrong);
  expect(rate?.[4]).toBe("900/s (wrong answers)");
  expect(rate?.[6]).toBe("10 ×");
  expect(tableCells(report([target("millrace", { value: 500, errors: 1 })]))[1]?.[3]).toBe("missed");
  expect(allRight(wrong)).toBe(false);
  expect(renderMarkdown(wrong)).toContain("mlflow-1, w.rate: 3 WRONG ANSWERS, first: status 500");
});

test("a bound that only a slow disk lets pass is marked", () => {
  const [, rate] = tableCells(report([target("millrace", { value: 60, probeMs: 0.6 })]));
  expect(rate?.[1]).toBe("≥ 50/s (100/s at 0.3 ms)");
  expect(rate?.[3]).toBe("met (slow disk)");
});

test("a column that could not be measured says why", () => {
  const results = { ...target("mlflow-1"), unavailable: "no MLflow here" };
  const text = renderMarkdown(report([target("millrace", { value: 500 }), results]));
  expect(text).toContain("column empty: no MLflow here");
  expect(text).toContain("# Figures of 2026-01-02");
  const failed = { ...target("millrace"), failed: { w: "boom" } };
  expect(tableCells(report([failed]))[1]?.[2]).toBe("failed");
  expect(allRight(report([failed]))).toBe(false);
});

test.each([
  [12_345.6, "/s", "12,346/s"],
  [0.24567, "s", "0.246 s"],
  [99.95, "ms", "100 ms"],
  [7, "MiB", "7 MiB"],
])("formats %d %s", (value, unit, text) => {
  expect(formatValue(value, unit)).toBe(text);
});
