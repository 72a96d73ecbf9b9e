import { expect, test } from "vitest";
import { apiGet, apiPost, RequestTemplate } from "./requests.ts";

const markers = { step: "9999", run: "RRRRRRRR" };

function template(): RequestTemplate {
  return new RequestTemplate(
    Buffer.from('{"run":"RRRRRRRR","m":[{"step":9999,"v":1},{"step":9999,"v":2}]}'),
    markers,
  );
}

test("fills every hole in place and leaves the rest", () => {
  const filled = template();
  expect(filled.count("step")).toBe(2);
  filled.fill("run", "0badcafe");
  filled.fillNumbers("step", (i) => 1000 + i);
  filled.fillNumbers("step", (i) => 4209 + i);
  expect(filled.bytes.toString()).toBe('{"run":"0badcafe","m":[{"step":4209,"v":1},{"step":4210,"v":2}]}');
});

test("refuses a value of another width, since it would break the body", () => {
  expect(() => template().fill("run", "short")).toThrow("8 wide");
  expect(() => template().fillNumbers("step", () => 999)).toThrow("4 digits");
  expect(() => template().fillNumbers("step", () => 10000)).toThrow("4 digits");
});

test("requests carry the length of their body in bytes", () => {
  expect(apiPost("runs/log-metric", { key: "é" }).toString()).toMatch(
    /^POST \/api\/2\.0\/mlflow\/runs\/log-metric HTTP\/1\.1\r\n[^]*Content-Length: 12\r\n\r\n\{"key":"é"\}$/,
  );
  expect(apiGet("x", { run_ids: ["a", "b"], n: 1 }).toString()).toMatch(
    /^GET \/api\/2\.0\/mlflow\/x\?run_ids=a&run_ids=b&n=1 /,
  );
});
