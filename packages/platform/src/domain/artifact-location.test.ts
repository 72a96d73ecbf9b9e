import { describe, expect, test } from "vitest";
import { checkArtifactLocation, checkModelVersionSource } from "./artifact-location.ts";
import type { ModelVersionSource } from "./artifact-location.ts";

const policy = {
  trustedUris: ["mlflow-artifacts:/", "/srv/artifacts"],
  allowedSchemes: [],
  workingDirectory: "/srv",
};

/** The location that MLflow 3.17.2, started in /srv, stored for a new experiment; or a piece of its refusal. */
const locations: [string, { stored: string } | { refused: string }][] = [
  ...[
    "s3://b/p",
    "s3://b",
    "gs://b/p",
    "wasbs://c@a.blob.core.windows.net/p",
    "dbfs:/p",
    "uc:/x",
    "file:///tmp/x",
    "file:/tmp/x",
    "file://localhost/x",
    "/abs",
    "/abs/../x",
    "mlflow-artifacts:/p",
    "mlflow-artifacts:p",
    "mlflow-artifacts:///p",
    "s3://b/p;x",
    "s3://b/p?x=1",
    "C:/x",
    "c:\\x",
    "weird:thing",
    "s3://b/../p",
    "models:/a/1",
  ].map((uri): [string, { stored: string }] => [uri, { stored: uri }]),
  ["file:rel", { stored: "file:///srv/rel" }],
  ["rel/a", { stored: "/srv/rel/a" }],
  ["./rel", { stored: "/srv/rel" }],
  ["../up", { stored: "/srv/../up" }],
  ["a b", { stored: "/srv/a b" }],
  [".", { stored: "/srv" }],
  ["runs:/a/b", { refused: "Artifact location cannot be a runs:/ URI. Given: 'runs:/a/b'" }],
  ...["ftp://h/p", "sftp://h", "hdfs://h/p", "hdfs:/p", "viewfs:/p", "http://h/p", "https://h/p"]
    .concat(["HTTPS://h/p", "r2://b@h/p", "b2://b@h/p", "abfss://c@h/p", "mlflow-artifacts://h/p"])
    .concat(["ht\ttp://h/p", " http://h/p"])
    .map((uri): [string, { refused: string }] => [uri, { refused: "'artifact_location' cannot use the '" }]),
  ["s3://b/p#f", { refused: "'artifact_location' URL can't include fragments or params." }],
  ["/a;x", { refused: "'artifact_location' URL can't include fragments or params." }],
  ["/a/b#f", { refused: "'artifact_location' URL can't include fragments or params." }],
  ["s3://b/p?x=..", { refused: "Invalid query string" }],
  ["s3://b/p?x=%2e%2e", { refused: "Invalid query string" }],
  ["x".repeat(2049), { refused: "Invalid artifact path length." }],
  // MLflow answers this one with 500; a mistake of the user is a 400 here.
  ["file://h/x", { refused: "'file://h/x' is not a valid" }],
];

test.each(locations)("artifact_location %j", (location, expected) => {
  if ("stored" in expected) expect(checkArtifactLocation(location, policy)).toBe(expected.stored);
  else {
    expect(() => checkArtifactLocation(location, policy)).toThrow(
      expect.objectContaining({
        code: "INVALID_PARAMETER_VALUE",
        message: expect.stringContaining(expected.refused),
      }),
    );
  }
});

// The rules of MLflow 3.17.2's `store/artifact/host_policy.py`, asked with these trusted roots.
describe("hosts", () => {
  test.each([
    ["https://h/p", ["mlflow-artifacts://h"], true],
    ["http://h:80/p", ["mlflow-artifacts://h"], true],
    ["http://h/p", ["https://h"], false],
    ["https://h:443/p", ["https://H/root"], true],
    ["viewfs://h/p", ["hdfs://h"], true],
    ["hdfs://h:8020/p", ["hdfs://h"], false],
    ["http://h\\@evil/p", ["http://evil", "http://h"], false],
    ["http://evil@h/p", ["http://h"], true],
    ["http://h@evil/p", ["http://h"], false],
    ["http://h:99999/p", ["http://h"], false],
    ["ftp:///p", ["ftp://h"], false],
  ])("%s where %j is trusted: %s", (uri, trustedUris, accepted) => {
    const check = () => checkArtifactLocation(uri, { ...policy, trustedUris });
    if (accepted) expect(check()).toBe(uri);
    else expect(check).toThrow(/cannot use the '[a-z]+' scheme/);
  });

  test("a scheme can be allowed", () => {
    const lenient = { ...policy, allowedSchemes: ["FTP"] };
    expect(checkArtifactLocation("ftp://h/p", lenient)).toBe("ftp://h/p");
  });
});

/** Whether MLflow 3.17.2 created the version; PR, PM lie in the proxied store, LR, LM in local files. */
const proxied = {
  runArtifactUri: "mlflow-artifacts:/x/PR/artifacts",
  modelArtifactUri: "mlflow-artifacts:/x/models/PM/artifacts",
};
const local = {
  runArtifactUri: "/data/LR/artifacts",
  modelArtifactUri: "/data/models/LM/artifacts",
};
const ofRun = { runId: "PR", ...proxied };
const ofModel = { modelId: "PM", ...proxied };
const ofLocalRun = { runId: "LR", ...local };
const ofLocalModel = { modelId: "LM", ...local };

const sources: [string, Partial<ModelVersionSource>, boolean][] = [
  ["s3://b/p", {}, true],
  ["s3://b", {}, false],
  ["s3://b/", {}, false],
  ["s3://b//p//", {}, true],
  ["s3:/b/p", {}, true],
  ["s3://b/p/../q", {}, false],
  ["s3://b/p/%2e%2e/q", {}, false],
  ["s3://b/p/%252e%252e/q", {}, false],
  ["s3://b/./q", {}, false],
  ["s3://b/p%00", {}, false],
  ["s3://b/a+b", {}, true],
  ["s3://b/p?x=1", {}, true],
  ["s3://b/p?x=/../", {}, false],
  ["gs://b/ü", {}, true],
  ["s3://b/%C3%BC", {}, true],
  ["dbfs:/p", {}, true],
  ["weird:thing", {}, false],
  ["weird:/thing", {}, true],
  ["C:/x", {}, true],
  ["/tmp/x", {}, false],
  ["/tmp/x", ofRun, false],
  ["/data/LR/artifacts/m", ofLocalRun, true],
  ["/data/LR/artifacts", ofLocalRun, true],
  ["file:///data/LR/artifacts/m", ofLocalRun, true],
  ["/data/LR/artifacts/../m", ofLocalRun, false],
  ["/data/LR/artifacts2", ofLocalRun, false],
  ["/data/LR/artifacts/m", {}, false],
  ["/data/models/LM/artifacts/m", ofLocalModel, true],
  ["/data/models/LM/artifacts/m", ofLocalRun, false],
  ["file://h/x", ofLocalRun, false],
  ["rel", ofLocalRun, false],
  ["runs:/PR/m", ofRun, true],
  ["runs:/PR", ofRun, true],
  ["runs:/PR/m", {}, false],
  ["runs:/PR/m", ofLocalRun, false],
  ["runs:/PR/m", ofModel, false],
  ["runs://h/PR/m", ofRun, false],
  ["mlflow-artifacts:/x/PR/artifacts/m", ofRun, true],
  ["mlflow-artifacts:/x/PR/artifacts/m", {}, false],
  ["mlflow-artifacts:/x/PR/artifacts2", ofRun, false],
  ["mlflow-artifacts:/x", ofRun, false],
  ["mlflow-artifacts:/x/PR/artifacts/m", { runId: "nope" }, false],
  ["mlflow-artifacts:/x/models/PM/artifacts", ofModel, true],
  ["mlflow-artifacts:/x/models/PM/artifacts", ofRun, false],
  ["mlflow-artifacts://h/x", ofRun, false],
  ["models:/PM", ofModel, true],
  ["models:/PM", {}, false],
  ["models:/PM", ofRun, false],
  ["models:/PM", ofLocalModel, false],
  ["models://h/PM", ofModel, false],
  ["models:/a/b/c", ofModel, false],
  ["models:", {}, false],
  ["http://h/p", {}, false],
  ["ftp://h/p", {}, false],
  ["hdfs://h/p", {}, false],
];

test.each(sources)("source %s with %j: %s", (source, request, accepted) => {
  const check = () => checkModelVersionSource({ source, ...request }, policy);
  if (accepted) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ code: "INVALID_PARAMETER_VALUE" }));
});

test("the refusals keep the fragments that clients look for", () => {
  const refusal = (source: string, request: Partial<ModelVersionSource> = {}) => {
    try {
      checkModelVersionSource({ source, ...request }, policy);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  expect(refusal("runs:/PR/m")).toContain(
    "The run_id request parameter must identify the resource that contains the source",
  );
  expect(refusal("models:/PM")).toContain(
    "The model_id request parameter must identify the resource that contains the source",
  );
  expect(refusal("http://h/p")).toContain("'source' cannot use the 'http' scheme");
  expect(refusal("/tmp/x")).toContain("Invalid model version source: '/tmp/x'");
});

test("an operator's pattern is a further check", () => {
  const strict = { ...policy, pattern: /^s3:\/\/models\// };
  expect(() => checkModelVersionSource({ source: "s3://models/a" }, strict)).not.toThrow();
  expect(() => checkModelVersionSource({ source: "s3://other/a" }, strict)).toThrow(
    "Invalid model version source: 's3://other/a'",
  );
});
