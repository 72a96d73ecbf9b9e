import { describe, expect, test } from "vitest";
import { createLog } from "./logging.ts";

function capture(logLevel: "info" | "warn" | "silent") {
  let text = "";
  const log = createLog({ logLevel }, { write: (line: string) => (text += line) });
  return {
    log,
    lines: () =>
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as object),
  };
}

describe("createLog", () => {
  test("writes one JSON object per request, whatever the path", () => {
    const { log, lines } = capture("info");
    const paths = ["/api/2.0/mlflow/runs/get", '/a"b\\c\n\u2028', "/中/%zz", ""];
    for (const path of paths) log.access.write("id-1", "GET", path, 200, 1.23456, 7);
    expect(lines()).toEqual(
      paths.map((path) => ({
        level: 30,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        requestId: "id-1",
        method: "GET",
        path,
        status: 200,
        durationMs: 1.235,
        bytes: 7,
        msg: "request",
      })),
    );
  });

  test("has the same shape for everything else, with the stack of an error", () => {
    const { log, lines } = capture("info");
    log.log.error({ requestId: "id-1", err: new Error("broken") }, "a request failed unexpectedly");
    expect(lines()).toEqual([
      {
        level: 50,
        time: expect.any(String),
        requestId: "id-1",
        err: expect.objectContaining({
          message: "broken",
          stack: expect.stringContaining("logging.test.ts"),
        }),
        msg: "a request failed unexpectedly",
      },
    ]);
  });

  test("keeps to its level", () => {
    const { log, lines } = capture("warn");
    log.access.write("id-1", "GET", "/", 200, 1, 7);
    log.log.info({}, "no");
    log.log.warn({}, "yes");
    expect(lines()).toHaveLength(1);
  });
});
