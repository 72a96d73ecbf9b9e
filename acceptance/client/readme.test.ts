/** The examples of the client's README do what it says: each is run as a program of its own. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, startServer } from "../server.ts";

const home = path.resolve(import.meta.dirname, "../../packages/client");
const readme = await readFile(path.join(home, "README.md"), "utf8");
const examples = [...readme.matchAll(/^## (.+)$[^]*?^```ts\n([^]*?)^```$/gm)].map(([, title, code]) => ({
  title: title!,
  code: code!,
}));

/** What each example prints, as a person would expect after reading it. */
const printed: Readonly<Record<string, RegExp>> = {
  "Log a run": /^[0-9a-f]{32}\n$/,
  "Find runs": /^first 100\n(?:.*\n)*\d+ undefined\n$/,
  Artifacts: /^(code\/.+ \d+\n)+<svg\/>\n(?:.*\n)*(\d+) of \2 bytes, (\d+) of \3 files\n$/,
  Registry: /^1 s3:\/\/bucket\/models\/wine\nRESOURCE_DOES_NOT_EXIST 404 \S+\n$/,
  "Many runs at once": /^$/,
  "In the same process": /^no network\n(?:.*\n)*$/,
};

let server: RunningServer;
let data: string;
beforeAll(async () => {
  server = await startServer();
  data = await mkdtemp(path.join(tmpdir(), "millrace-readme-"));
});
afterAll(async () => {
  await server?.stop();
  if (data !== undefined) await rm(data, { recursive: true, force: true });
});

test("every section with code is here", () => {
  expect(examples.map(({ title }) => title)).toEqual(Object.keys(printed));
  expect(readme.match(/^```ts$/gm)?.length).toBe(examples.length);
});

test.each(examples)("$title", async ({ title, code }) => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--conditions=millrace-source", "--input-type=module-typescript", "-e", code],
    { cwd: home, env: { ...process.env, MLFLOW_TRACKING_URI: server.url, DATA: data, TMPDIR: data } },
  );
  // A server in the same process writes its log; that is not the example's output.
  const withoutLog = (text: string): string => text.replace(/^\{"level".*\}\n/gm, "");
  expect(withoutLog(stderr)).toBe("");
  expect(withoutLog(stdout)).toMatch(printed[title]!);
});
