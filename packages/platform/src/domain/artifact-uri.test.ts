import { describe, expect, test } from "vitest";
import {
  appendToUri,
  isProxyUri,
  isUriWithin,
  localPathOf,
  proxiedArtifactPath,
  splitUri,
  uriScheme,
} from "./artifact-uri.ts";

// The third column is the answer of MLflow 3.17.2's `append_to_uri_path`.
test.each<[string, string[], string]>([
  ["mlflow-artifacts:/", ["0"], "mlflow-artifacts:/0"],
  ["mlflow-artifacts:/0", ["r", "artifacts"], "mlflow-artifacts:/0/r/artifacts"],
  ["mlflow-artifacts://h:5000/0", ["r"], "mlflow-artifacts://h:5000/0/r"],
  ["mlflow-artifacts:", ["0"], "mlflow-artifacts:0"],
  ["s3://b", ["a"], "s3://b/a"],
  ["s3://b/p?x=1", ["a", "/b"], "s3://b/p/a/b?x=1"],
  ["s3://b/p?x=1#f", ["y"], "s3://b/p/y?x=1#f"],
  ["gs://b/", ["x"], "gs://b/x"],
  ["dbfs:/p", ["x/y"], "dbfs:/p/x/y"],
  ["hdfs:/a", ["x"], "hdfs:/a/x"],
  ["wasbs://c@acc.blob.core.windows.net/p", ["q"], "wasbs://c@acc.blob.core.windows.net/p/q"],
  ["http://h/a;p", ["x"], "http://h/a/x;p"],
  ["file:/a", ["x"], "file:///a/x"],
  ["file:///a", ["x"], "file:///a/x"],
  ["file:rel", ["x"], "file:rel/x"],
  ["file://h/a", ["x"], "file://h/a/x"],
  ["file:///a%20b", ["c d"], "file:///a%20b/c d"],
  ["/a/b", ["c"], "/a/b/c"],
  ["/a/b/", ["c"], "/a/b/c"],
  ["/a", [""], "/a/"],
  ["a/posix", ["/some", "sub"], "a/posix/some/sub"],
  ["./mlruns", ["0"], "./mlruns/0"],
  ["", ["x"], "x"],
])("%s + %j = %s", (uri, paths, joined) => {
  expect(appendToUri(uri, ...paths)).toBe(joined);
});

test.each(["s3://b/p?x=..", "s3://b/p?x=%252e%2e"])("%s cannot be appended to", (uri) => {
  expect(() => appendToUri(uri, "a")).toThrow(/^Invalid query string/);
});

// As Python 3.11's `urllib.parse.urlparse` splits them.
test("addresses are split as Python does", () => {
  expect(splitUri("S3://B/p;x?q#f")).toEqual({
    scheme: "s3",
    authority: "B",
    path: "/p;x",
    params: "",
    query: "q",
    fragment: "f",
  });
  expect(splitUri("http://h/a;b/c;d")).toMatchObject({ path: "/a;b/c", params: "d" });
  expect(uriScheme("ht\ttp://h")).toBe("http");
  expect(uriScheme("\u0001 http://h")).toBe("http");
  expect(uriScheme("C:/models")).toBe("");
  expect(uriScheme("a/b:c")).toBe("");
});

test.each([
  ["/a b", "/a b"],
  ["rel/x%20y", "rel/x%20y"],
  ["file:///a%20b", "/a b"],
  ["file:/a", "/a"],
  ["file:rel", "rel"],
  ["file://localhost/a", "/a"],
  ["file://127.0.0.1:80/a", "/a"],
  ["file://example.org/a", undefined],
  ["s3://b/a", undefined],
])("%s is the local path %s", (uri, path) => {
  expect(localPathOf(uri)).toBe(path);
});

test.each([
  ["mlflow-artifacts:/0/r/artifacts", "0/r/artifacts"],
  ["mlflow-artifacts://host:5000/0/r", "0/r"],
  ["mlflow-artifacts:/", ""],
  ["http://h/api/2.0/mlflow-artifacts/artifacts/0/r", "0/r"],
  ["https://h/prefix/api/2.0/mlflow-artifacts/artifacts/0", "0"],
  ["https://h/elsewhere", undefined],
  ["s3://b/0", undefined],
  ["/local/0", undefined],
])("%s is %s in the proxied store", (uri, path) => {
  expect(proxiedArtifactPath(uri)).toBe(path);
});

describe("containment", () => {
  test.each([
    ["mlflow-artifacts:/0/r/artifacts/m", "mlflow-artifacts:/0/r/artifacts", true],
    ["mlflow-artifacts:/0/r/artifacts", "mlflow-artifacts:/0/r/artifacts/", true],
    ["mlflow-artifacts:/0/r/artifacts2", "mlflow-artifacts:/0/r/artifacts", false],
    ["mlflow-artifacts:/0/r", "mlflow-artifacts:/0/r/artifacts", false],
    ["mlflow-artifacts:/0/%2572/a", "mlflow-artifacts:/0/r", true],
    ["MLFLOW-artifacts://H/0/a", "mlflow-artifacts://h/0", true],
    ["mlflow-artifacts://other/0/a", "mlflow-artifacts:/0", false],
    ["mlflow-artifacts:/0/a", "mlflow-artifacts:/", false],
  ])("%s in %s: %s", (uri, root, within) => {
    expect(isUriWithin(uri, root)).toBe(within);
  });

  test("proxy addresses are known in every spelling", () => {
    expect(isProxyUri("mlflow-artifacts:/0")).toBe(true);
    expect(isProxyUri("https://h/p/api/2.0/%6dlflow-artifacts/artifacts/0")).toBe(true);
    expect(isProxyUri("https://h/api/2.0/mlflow/artifacts")).toBe(false);
  });
});
