/** Doctor and completion. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { parseOptions } from "../../options.ts";
import { serve } from "../../serve.ts";
import { millrace, temporaryFolder } from "../testing.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const dataDir = `${folder.path}/data`;

const secrets = {
  MILLRACE_TOKEN: "s3cret-token",
  MLFLOW_TRACKING_TOKEN: "s3cret-tracking",
  MLFLOW_TRACKING_PASSWORD: "s3cret-password",
  MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: "s3cret-key",
  MLFLOW_S3_ENDPOINT_URL: "https://user:s3cret-user@store.example/?X-Signature=s3cret-query",
  UNRELATED_VARIABLE: "s3cret-unrelated",
};

test("secrets are masked in every form, other values only when asked", async () => {
  const env = { ...secrets, MILLRACE_DATA_DIR: dataDir, MLFLOW_HOST: "127.0.0.1" };
  const json = await millrace(["doctor", "--json"], { env });
  for (const outcome of [
    json,
    await millrace(["doctor"], { env }),
    await millrace(["doctor", "--mask-envs"], { env }),
  ]) {
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stdout + outcome.stderr).not.toContain("s3cret");
  }
  expect(json.json()).toMatchObject({
    ok: true,
    environment: {
      MILLRACE_TOKEN: "***",
      MLFLOW_HOST: "127.0.0.1",
      MLFLOW_S3_ENDPOINT_URL: "https://***@store.example/?X-Signature=***",
    },
  });
  const masked = (await millrace(["doctor", "--json", "--mask-envs"], { env })).json();
  expect(masked).toMatchObject({ environment: { MLFLOW_HOST: "***" } });
  expect(existsSync(dataDir)).toBe(false);
});

test("a server that runs is found by its lock, and asked", async () => {
  const server = await serve(parseOptions({ dataDir, port: "0", logLevel: "silent" }, {}));
  try {
    const report = (await millrace(["doctor", "--json"], { env: { MILLRACE_DATA_DIR: dataDir } })).json();
    expect(report).toMatchObject({
      ok: true,
      database: { exists: true, served_at: server.url, schema_version: 1, pragmas: { journal_mode: "wal" } },
      disk: { sync_ms: { median: expect.any(Number) as number } },
      server: { address: server.url, reachable: true, version: expect.stringMatching(/^3\./) as string },
    });
  } finally {
    await server.stop();
  }
});

test("what is broken makes it fail and is named", async () => {
  mkdirSync(`${folder.path}/broken`);
  writeFileSync(
    `${folder.path}/broken/millrace.db`,
    "not a database at all, but long enough to be read as one",
  );
  const broken = await millrace(["doctor"], { env: { MILLRACE_DATA_DIR: `${folder.path}/broken` } });
  expect(broken.code).toBe(1);
  expect(broken.stdout).toMatch(/problem: .*broken\/millrace\.db/);
  const env = { MILLRACE_DATA_DIR: dataDir, MLFLOW_TRACKING_URI: "http://127.0.0.1:9" };
  expect(await millrace(["doctor"], { env })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("http://127.0.0.1:9 cannot be used") as string,
  });
  const wrong = await millrace(["doctor"], { env: { MILLRACE_DATA_DIR: dataDir, MLFLOW_PORT: "many" } });
  expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining("MLFLOW_PORT") as string });
});

test("bash completes commands, verbs, options and shells", async () => {
  const { stdout } = await millrace(["completion", "bash"]);
  const complete = (...words: string[]): string[] => {
    const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _millrace; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout: found, status } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    expect(status).toBe(0);
    return found.split("\n").filter((line) => line !== "");
  };
  expect(complete("millrace", "exp")).toEqual(["experiments"]);
  expect(complete("millrace", "runs", "d")).toEqual(["describe", "delete"]);
  expect(complete("millrace", "runs", "list", "--max")).toEqual(["--max-results"]);
  expect(complete("millrace", "ui", "--backend")).toEqual(["--backend-store-uri"]);
  expect(complete("millrace", "completion", "")).toEqual(["bash", "zsh", "fish"]);
});

test("zsh and fish get every command; other shells are refused", async () => {
  for (const shell of ["zsh", "fish"]) {
    const { code, stdout } = await millrace(["completion", shell]);
    expect(code).toBe(0);
    for (const word of ["server", "set-alias", "get-history"]) expect(stdout).toContain(word);
  }
  expect((await millrace(["completion", "tcsh"])).code).toBe(2);
});
