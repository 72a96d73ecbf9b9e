/** What every command owes its users: help, exit codes, and JSON that parses. */
import { afterAll, describe, expect, test } from "vitest";
import { millrace, temporaryFolder } from "../testing.ts";
import { commands } from "./index.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const env = { MILLRACE_DATA_DIR: `${folder.path}/data` };

describe.each(Object.keys(commands))("%s", (name) => {
  test("explains itself", async () => {
    const { code, stdout, stderr } = await millrace([name, "--help"]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatchSnapshot();
  });

  test("takes an unknown option for a mistake in the call", async () => {
    const { code, stdout, stderr } = await millrace([name, "--no-such-option"], { env });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/unknown option|unknown command|missing required/);
  });
});

test("without a command: help on standard error, exit code 2", async () => {
  const { code, stdout, stderr } = await millrace([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  for (const name of Object.keys(commands)) expect(stderr).toContain(name);
});

test("a misspelt command is told the likely one", async () => {
  expect(await millrace(["experimets"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Did you mean experiments?") as string,
  });
});

test("version is the package's, in three ways", async () => {
  const { version } = (await import("../../../package.json", { with: { type: "json" } })).default;
  expect((await millrace(["--version"])).stdout).toBe(`${version}\n`);
  expect((await millrace(["version"])).stdout).toContain(version);
  expect((await millrace(["version", "--json"])).json()).toMatchObject({
    millrace: version,
    node: process.versions.node,
  });
});

test("an --env-file gives variables that are not set already", async () => {
  const { writeFileSync } = await import("node:fs");
  const file = `${folder.path}/settings.env`;
  writeFileSync(file, `MLFLOW_TRACKING_URI=sqlite:///${folder.path}/from-file.db\nNO_COLOR=1\n`);
  const words = ["--env-file", file, "experiments", "create", "-n", "from-file", "--json"];
  expect((await millrace(words)).json()).toMatchObject({ name: "from-file" });
  const other = await millrace(["experiments", "get", "-n", "from-file"], { env });
  expect(other.code).toBe(1);
  expect(await millrace(["--env-file", "/does/not/exist", "version"])).toMatchObject({
    code: 2,
    stderr: "error: --env-file: '/does/not/exist' cannot be read.\n",
  });
});

test("an address of no known kind is a usage error that names it", async () => {
  expect(await millrace(["experiments", "search", "--tracking-uri", "ftp://x/y"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("ftp://x/y") as string,
  });
});

test("a server that is not there: exit code 1, one line, JSON with --json", async () => {
  // Port 9 (discard) is not served on this machine.
  const words = ["experiments", "search", "--tracking-uri", "http://127.0.0.1:9"];
  const plain = await millrace(words);
  expect(plain.code).toBe(1);
  expect(plain.stderr).toMatch(/^error: .*127\.0\.0\.1:9/);
  expect(plain.stderr.trimEnd().split("\n")).toHaveLength(1);
  const json = await millrace([...words, "--json"]);
  expect(json.stdout).toBe("");
  expect(JSON.parse(json.stderr)).toHaveProperty("error_code");
  const verbose = await millrace([...words, "--verbose"]);
  expect(verbose.stderr).toMatch(/\n\s+at /);
});
