import { expect, test } from "vitest";
import type { Output } from "../io.ts";
import { csvLine } from "./csv.ts";
import { formatBytes, formatDuration, formatValue } from "./format.ts";
import { toJson } from "./json.ts";
import { createProgress } from "./progress.ts";
import { sparkline } from "./sparkline.ts";
import { type Column, writeTable } from "./table.ts";
import { cut, visible, widthOf } from "./text.ts";

function captured(columns?: number): Output & { text: string } {
  return {
    text: "",
    isTerminal: columns !== undefined,
    columns,
    write(text) {
      this.text += text;
    },
  };
}

test("widths are those of a terminal: wide characters take two columns, accents none", () => {
  expect(["abc", "日本", "e\u0301", "🙂", ""].map(widthOf)).toEqual([3, 4, 1, 2, 0]);
  expect(cut("日本語", 5)).toBe("日本…");
  expect(widthOf(cut("日本語", 4))).toBeLessThanOrEqual(4);
  expect(cut("abc", 3)).toBe("abc");
});

test("what would steer a terminal is shown", () => {
  expect(visible("a\u001b[2J\r\nb\u202ec")).toBe("a\\u001b[2J\\r\\nb\\u202ec");
  expect(visible("a\nb\u0007", true)).toBe("a\nb\\u0007");
});

test("tables fit a terminal by cutting the widest column, and are whole in a pipe", () => {
  const rows = [
    { id: "1".repeat(32), text: "x".repeat(100) },
    { id: "2", text: "short" },
  ];
  const columns: Column<(typeof rows)[number]>[] = [
    { header: "ID", value: ({ id }) => id, widthMin: 32 },
    { header: "TEXT", value: ({ text }) => text },
  ];
  const terminal = captured(60);
  writeTable(terminal, { NO_COLOR: "1" }, rows, columns, "none");
  const lines = terminal.text.trimEnd().split("\n");
  expect(lines.map(widthOf)).toEqual([38, 60, 39]);
  expect(lines[1]).toBe(`${"1".repeat(32)}  ${"x".repeat(25)}…`);
  const pipe = captured();
  writeTable(pipe, {}, rows, columns, "none");
  expect(pipe.text).toContain("x".repeat(100));
  const empty = captured();
  writeTable(empty, {}, [], columns, "none");
  expect(empty.text).toBe("none\n");
});

test("JSON has the wire's names and forms, exact integers and stable shapes", () => {
  const value = {
    runId: "a",
    step: 9_007_199_254_740_993n,
    value: Number.NaN,
    none: undefined,
    tags: [],
    A_B: 1,
  };
  expect(toJson(value, 0).replaceAll("\n", "")).toBe(
    '{"run_id": "a","step": 9007199254740993,"value": "NaN","tags": [],"A_B": 1}',
  );
  expect(JSON.parse(toJson([{ a: [1, { bC: '\u0000"' }] }]))).toEqual([{ a: [1, { b_c: '\u0000"' }] }]);
});

test("CSV quotes as RFC 4180 says", () => {
  expect(csvLine(["a", 1, undefined, 'say "hi"', "x,y", "two\nlines", " edge"])).toBe(
    'a,1,,"say ""hi""","x,y","two\nlines"," edge"\r\n',
  );
});

test("sparklines: monotone values give monotone bars, extremes and gaps survive", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([5, 5, 5], 8)).toBe("▄▄▄");
  expect(sparkline([1, Number.NaN, 2], 8)).toBe("▁ █");
  expect(sparkline([Number.NaN], 8)).toBe("");
  expect(sparkline([-Number.MAX_VALUE, Number.MAX_VALUE], 8)).toBe("▁█");
  expect(
    sparkline(
      Array.from({ length: 1_000 }, (_, at) => at),
      4,
    ),
  ).toBe("▁▃▆█");
});

test("figures", () => {
  expect([0, 1_023, 1_536, 10 * 1_024 ** 2, 3 * 1_024 ** 4].map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1.5 KiB",
    "10 MiB",
    "3.0 TiB",
  ]);
  expect([12, 4_500, 62_000, 3_720_000, 200_000_000].map(formatDuration)).toEqual([
    "12ms",
    "4.5s",
    "1m 02s",
    "1h 02m",
    "2d 07h",
  ]);
  expect([1, 0.123456789, 1e-12, 1e20, Number.NaN].map(formatValue)).toEqual([
    "1",
    "0.123457",
    "1e-12",
    "100000000000000000000",
    "NaN",
  ]);
});

test("a progress bar is drawn on terminals only, not for short work, and leaves nothing behind", () => {
  const io = (stderr: Output) => ({ stderr, env: { NO_COLOR: "1" } });
  const pipe = captured();
  const silent = createProgress(io(pipe), "copying");
  silent.update(1, 2);
  silent.end();
  expect(pipe.text).toBe("");
  const terminal = captured(80);
  let time = 0;
  const bar = createProgress(io(terminal), "copying", () => time);
  time = 100;
  bar.update(1, 4);
  expect(terminal.text).toBe("");
  time = 2_000;
  bar.update(2, 4, "a\u001bb");
  expect(terminal.text).toBe(
    `\r\u001b[Kcopying ${"█".repeat(12)}${"░".repeat(12)}  50 % a\\u001bb, 2.0s left`,
  );
  bar.end();
  expect(terminal.text.endsWith("\r\u001b[K")).toBe(true);
});
