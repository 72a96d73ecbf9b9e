import { expect, test } from "vitest";
import { effectiveBound, verdict, type Goal } from "./verdict.ts";

const rate: Goal = { bound: "at least", value: 12_000, synced: true };
const duration: Goal = { bound: "at most", value: 0.6, synced: true };

test("a bound is met at the bound and missed beyond it", () => {
  expect(verdict(12_000, [rate], 0.2)).toBe("met");
  expect(verdict(11_999, [rate], 0.2)).toBe("missed");
  expect(verdict(0.6, [duration], 0.2)).toBe("met");
  expect(verdict(0.601, [duration], 0.2)).toBe("missed");
  expect(verdict(1, undefined, 0.2)).toBe("");
});

test("a slow disk stretches bounds on synced work only, and a fast one never tightens them", () => {
  expect(effectiveBound(rate, 0.6)).toBeCloseTo(6_000);
  expect(effectiveBound(duration, 0.6)).toBeCloseTo(1.2);
  expect(effectiveBound(rate, 0.05)).toBe(12_000);
  expect(effectiveBound({ bound: "at most", value: 8 }, 3)).toBe(8);
});

test("one of several goals suffices, and a value that was never measured misses", () => {
  expect(verdict(9_000, [rate, { bound: "at least", value: 8_400 }], 0.1)).toBe("met");
  expect(verdict(Number.NaN, [rate], 0.1)).toBe("missed");
});
