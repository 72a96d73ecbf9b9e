/** Files up and down through the command line, by every kind of address. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseOptions } from "../../options.ts";
import { type RunningServer, serve } from "../../serve.ts";
import { millrace, type Outcome, temporaryFolder } from "../testing.ts";

const folder = temporaryFolder();
const env = { MILLRACE_DATA_DIR: `${folder.path}/data` };
let runId = "";
let server: RunningServer | undefined;

async function ok(words: readonly string[]): Promise<Outcome> {
  const outcome = await millrace(words, { env });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
  return outcome;
}

beforeAll(async () => {
  const run = (await ok(["runs", "create", "--experiment-id", "0", "--json"])).json();
  runId = (run as { info: { run_id: string } }).info.run_id;
  mkdirSync(`${folder.path}/model/code`, { recursive: true });
  writeFileSync(`${folder.path}/model/MLmodel`, "flavors: {}\n");
  writeFileSync(`${folder.path}/model/code/ä b.py`, "print(1)\n");
  writeFileSync(`${folder.path}/model/empty`, "");
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

const transfers = async (mark: string): Promise<void> => {
  await ok([
    "artifacts",
    "log-artifact",
    "-l",
    `${folder.path}/model/MLmodel`,
    "-r",
    runId,
    "-a",
    `${mark}/one`,
  ]);
  const many = await ok([
    "artifacts",
    "log-artifacts",
    "-l",
    `${folder.path}/model`,
    "-r",
    runId,
    "-a",
    mark,
    "--json",
  ]);
  expect(many.json()).toMatchObject({ files: 3 });
  const listed = (await ok(["artifacts", "list", "-r", runId, "-a", mark, "--json"])).json();
  expect(listed).toEqual([
    { path: `${mark}/MLmodel`, is_dir: false, file_size: 12 },
    { path: `${mark}/code`, is_dir: true },
    { path: `${mark}/empty`, is_dir: false },
    { path: `${mark}/one`, is_dir: true },
  ]);
  const target = `${folder.path}/down-${mark}`;
  expect((await ok(["artifacts", "download", "-r", runId, "-a", mark, "-d", target])).stdout).toBe(
    `${target}/${mark}\n`,
  );
  expect(readFileSync(`${target}/${mark}/code/ä b.py`, "utf8")).toBe("print(1)\n");
  expect(readFileSync(`${target}/${mark}/empty`, "utf8")).toBe("");
  const one = await ok([
    "artifacts",
    "download",
    "-u",
    `runs:/${runId}/${mark}/MLmodel`,
    "-d",
    target,
    "--json",
  ]);
  expect(one.json()).toMatchObject({ files: 1 });
  const without = (await ok(["artifacts", "download", "-r", runId, "-a", `${mark}/MLmodel`])).stdout.trim();
  expect(readFileSync(without, "utf8")).toBe("flavors: {}\n");
};

test("against a database", () => transfers("local"));

test("a registered version is found by number, alias, stage and latest", async () => {
  await ok(["models", "register", "-n", "wine", "--source", `runs:/${runId}/local`]);
  await ok(["models", "set-alias", "-n", "wine", "-a", "champion", "-v", "1"]);
  await ok(["models", "set-stage", "-n", "wine", "-v", "1", "--stage", "Production"]);
  for (const address of [
    "models:/wine/1",
    "models:/wine@champion",
    "models:/wine/Production",
    "models:/wine/latest",
  ]) {
    const listed = (await ok(["artifacts", "list", "-u", address, "--json"])).json() as { path: string }[];
    expect(listed.map(({ path }) => path)).toEqual(["MLmodel", "code", "empty", "one"]);
    const target = `${folder.path}/down-${address.replace(/\W/g, "-")}`;
    await ok(["artifacts", "download", "-u", address, "-d", target]);
    expect(readFileSync(`${target}/MLmodel`, "utf8")).toBe("flavors: {}\n");
  }
});

test("mistakes", async () => {
  const code = async (...words: string[]): Promise<number> =>
    (await millrace(["artifacts", ...words], { env })).code;
  expect(await code("list")).toBe(2);
  expect(await code("list", "-r", runId, "-u", `runs:/${runId}`)).toBe(2);
  expect(await code("list", "-u", "s3://bucket/x")).toBe(2);
  expect(await code("log-artifact", "-r", runId, "-l", `${folder.path}/none`)).toBe(1);
  expect(await code("log-artifacts", "-r", runId, "-l", `${folder.path}/model/MLmodel`)).toBe(2);
  expect(await code("download", "-r", runId, "-a", "no/such/file", "-d", folder.path)).toBe(1);
  expect(await code("download", "-r", "0".repeat(32), "-d", folder.path)).toBe(1);
});

test("through a server", async () => {
  server = await serve(parseOptions({ dataDir: `${folder.path}/data`, port: "0", logLevel: "silent" }, {}));
  await transfers("remote");
});
