import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { artifactPathSegments, checkArtifactPath, checkArtifactUploadPath } from "./artifact-path.ts";

/**
 * The path of the URL as sent, and the name under which MLflow 3.17.2 (Linux) stored the PUT; false where it
 * answered 400 "Invalid path". `ours` is set where Millrace differs on purpose, with the reason.
 */
const uploads: {
  raw: string;
  mlflow: string | false | "500" | "404";
  ours?: string | false;
  why?: string;
}[] = [
  { raw: "a%20b.txt", mlflow: "a b.txt" },
  { raw: "%C3%BCber.txt", mlflow: "über.txt" },
  { raw: "a..b", mlflow: "a..b" },
  { raw: "..a", mlflow: "..a" },
  { raw: "a..", mlflow: "a.." },
  { raw: "...", mlflow: "..." },
  { raw: "a/...", mlflow: "a/..." },
  { raw: ".hidden", mlflow: ".hidden" },
  { raw: "~", mlflow: "~" },
  { raw: "d/e/f/g", mlflow: "d/e/f/g" },
  { raw: "a+b", mlflow: "a+b" },
  { raw: "a%2Bb", mlflow: "a+b" },
  { raw: "%2541", mlflow: "A" },
  { raw: "100%25.txt", mlflow: "100%.txt" },
  { raw: "100%25zz", mlflow: "100%zz" },
  { raw: "a%25b", mlflow: "a%b" },
  { raw: "a%25%32%66b", mlflow: "a/b" },
  { raw: "a//b", mlflow: "a/b" },
  { raw: "a%3Fb", mlflow: "a?b" },
  { raw: "a;b", mlflow: "a;b" },
  { raw: "a%3Ab", mlflow: "a:b" },
  { raw: "http:x", mlflow: "http:x" },
  { raw: "a%FFb", mlflow: "a\u{fffd}b" },
  { raw: "%FF", mlflow: "\u{fffd}" },
  { raw: "%E2%80%AE", mlflow: "\u202e" },
  { raw: "a%7Fb", mlflow: "a%7fb" },
  { raw: "a/../b", mlflow: false },
  { raw: "a/%2e%2e/b", mlflow: false },
  { raw: "..%2fx", mlflow: false },
  { raw: "%2e%2e%2fx", mlflow: false },
  { raw: "%252e%252e/x", mlflow: false },
  { raw: "%25252525252e%25252525252e/x", mlflow: false },
  { raw: "..", mlflow: false },
  { raw: "a/..", mlflow: false },
  { raw: "%2fetc/passwd", mlflow: false },
  { raw: "/etc/passwd", mlflow: false },
  { raw: "%5C%5Chost%5Cshare", mlflow: false },
  { raw: "C:/x", mlflow: false },
  { raw: "C:%5Cx", mlflow: false },
  { raw: "a%23b", mlflow: false },
  { raw: "a%2523b", mlflow: false },
  { raw: "file:x", mlflow: false },
  { raw: "file:/etc/x", mlflow: false },
  { raw: "file:///etc/passwd", mlflow: false },
  { raw: "FILE:/etc/x", mlflow: false },
  { raw: "dir/", mlflow: false },
  { raw: "a//", mlflow: false },
  { raw: "Foo:bar", mlflow: "foo:bar", ours: "Foo:bar", why: "a name keeps its case" },
  { raw: "C:x", mlflow: "c:x", ours: "C:x", why: "a name keeps its case" },
  { raw: "a%09b", mlflow: "ab", ours: "a%09b", why: "two names stay two files" },
  { raw: "a%0Ab", mlflow: "404", ours: "a%0ab", why: "a newline is a control character like others" },
  { raw: "a%3F", mlflow: "500", ours: "a?", why: "a name keeps its question mark" },
  { raw: "a;", mlflow: "500", ours: "a;", why: "a name keeps its semicolon" },
  { raw: "a%00b", mlflow: "a%00b", ours: false, why: "a NUL is refused everywhere" },
  { raw: "a%2500b", mlflow: "a%00b", ours: false, why: "a NUL is refused everywhere" },
  { raw: "a%5Cb", mlflow: "a\\b", ours: false, why: "it is a separator on the clients of Windows" },
  { raw: "..%5cx", mlflow: "..\\x", ours: false, why: "it climbs on Windows" },
  { raw: "..%255cx", mlflow: "..\\x", ours: false, why: "it climbs on Windows" },
  { raw: "%5Cb", mlflow: "\\b", ours: false, why: "it is absolute on Windows" },
  { raw: ".", mlflow: "500", ours: false, why: "a mistake of the user is a 400" },
  { raw: "a/./b", mlflow: "500", ours: false, why: "a mistake of the user is a 400" },
  { raw: "./a", mlflow: "500", ours: false, why: "a mistake of the user is a 400" },
  { raw: "http://h/x", mlflow: "500", ours: false, why: "a mistake of the user is a 400" },
  { raw: "....//....//etc/passwd", mlflow: "500", ours: false, why: "a mistake of the user is a 400" },
  {
    raw: `%${"25".repeat(19)}41`,
    mlflow: "500",
    ours: false,
    why: "a mistake of the user is a 400",
  },
];

const invalid = expect.objectContaining({
  code: "INVALID_PARAMETER_VALUE",
  message: expect.stringMatching(/^Invalid path/),
}) as unknown as Error;

describe("paths to write to", () => {
  test.each(uploads)("$raw", ({ raw, mlflow, ours }) => {
    const expected = ours ?? mlflow;
    if (expected === false) expect(() => checkArtifactUploadPath(raw)).toThrow(invalid);
    else expect(checkArtifactUploadPath(raw)).toBe(expected);
  });

  test("every difference from MLflow says why", () => {
    for (const { ours, why } of uploads) expect(ours === undefined).toBe(why === undefined);
  });
});

describe("paths to read", () => {
  // The path to which MLflow 3.17.2 resolved the GET or the listing.
  test.each([
    ["", ""],
    [".", ""],
    ["./a", "a"],
    ["a/./b", "a/b"],
    ["a//b", "a/b"],
    ["a//", "a"],
    ["dir/", "dir"],
    ["....//....//etc/passwd", "..../..../etc/passwd"],
  ])("%s", (raw, expected) => {
    expect(checkArtifactPath(raw)).toBe(expected);
  });

  test.each([
    "..",
    "%2e%2e",
    "a/..",
    "%252e%252e",
    "/etc",
    "%2Fetc",
    "a%23b",
    "file:/etc",
    "./file:x",
    "C:/x",
    "./C:/x",
  ])("%s is refused", (raw) => {
    expect(() => checkArtifactPath(raw)).toThrow(invalid);
  });

  test("a lone surrogate is refused", () => {
    expect(() => checkArtifactPath("a\ud800b")).toThrow(invalid);
  });

  test("messages hold no control characters and stay short", () => {
    const long = `${"x".repeat(5_000)}\u0007/../a`;
    expect(() => checkArtifactPath(long)).toThrow(/^[^\u0007]{0,500}$/);
  });
});

/** Pieces of which climbing paths are made, encoded up to four times over. */
const climbing = fc
  .array(
    fc.tuple(
      fc.constantFrom("..", "../", "/", "//", ".", "\\", "\0", "#", "etc", "%", "a", "file:", "C:", "ü"),
      fc.nat(4),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => pieces.map(([piece, rounds]) => encode(piece, rounds)).join(""));

function encode(text: string, rounds: number): string {
  let current = text;
  for (let round = 0; round < rounds; round += 1) {
    current = [...Buffer.from(current)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  }
  return current;
}

test("whatever passes is relative, normalised, and never climbs", () => {
  fc.assert(
    fc.property(climbing, (raw) => {
      let checked: string;
      try {
        checked = checkArtifactPath(raw);
      } catch (error) {
        expect(error).toMatchObject({ code: "INVALID_PARAMETER_VALUE" });
        return;
      }
      expect(checked).not.toMatch(/^\/|\\|\0|#/);
      if (checked === "") return;
      for (const segment of checked.split("/")) expect(["", ".", ".."]).not.toContain(segment);
      // Decoding once more must not reveal anything.
      expect(checkArtifactPath(checked)).toBe(checked);
      expect(artifactPathSegments(checked)).toEqual(checked.split("/"));
    }),
    { numRuns: 2_000 },
  );
});

test("ordinary names pass unchanged, encoded once or not", () => {
  const name = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => text.isWellFormed() && !/[/\\#%\0-\u001f\u007f]|^\.{1,2}$|^file:/i.test(text));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
      const path = names.join("/");
      expect(checkArtifactUploadPath(path)).toBe(path);
      expect(checkArtifactUploadPath(names.map(encodeURIComponent).join("/"))).toBe(path);
    }),
  );
});
