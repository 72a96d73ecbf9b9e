import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareText, foldAscii, like } from "./text.ts";

const text = fc.string({
  unit: fc.constantFrom("a", "A", "b", "%", "_", "é", "\n", "\uffff", "😀", "\u{10ffff}"),
});

test("text compares by code point: the order of UTF-8 bytes", () => {
  const utf8 = new TextEncoder();
  fc.assert(
    fc.property(text, text, (a, b) => {
      const expected = Buffer.compare(utf8.encode(a), utf8.encode(b));
      expect(Math.sign(compareText(a, b))).toBe(expected);
    }),
  );
});

test("LIKE agrees with a regular expression over code points", () => {
  const escaped = (character: string) => character.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  fc.assert(
    fc.property(text, text, (value, pattern) => {
      const source = Array.from(pattern, (sign) => ({ "%": ".*", _: "." })[sign] ?? escaped(sign));
      expect(like(value, pattern)).toBe(new RegExp(`^${source.join("")}$`, "su").test(value));
    }),
    { numRuns: 2_000 },
  );
});

test("a pattern of many wildcards over a long text ends", () => {
  expect(like("a".repeat(5_000), `${"%a".repeat(50)}%b`)).toBe(false);
});

test("only ASCII letters are folded", () => {
  expect(foldAscii("AÉßİZ")).toBe("aÉßİz");
});
