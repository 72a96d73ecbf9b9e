import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { artifactStoreSuite } from "../testing/artifact-store-suite.ts";
import { openArtifactStore } from "./index.ts";
import type { ArtifactStore } from "./store.ts";

const folders: string[] = [];
const stores: ArtifactStore[] = [];

function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-artifacts-")));
  folders.push(folder);
  return folder;
}

async function openIn(root: string): Promise<ArtifactStore> {
  const store = await openArtifactStore(root);
  stores.push(store);
  return store;
}

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const suiteFolder = mkdtempSync(join(tmpdir(), "millrace-artifacts-suite-"));
afterAll(() => rmSync(suiteFolder, { recursive: true, force: true }));
artifactStoreSuite("local files", () => openArtifactStore(join(suiteFolder, "made", "on demand")));

describe("opening", () => {
  test("a file: URI, percent-encoded", async () => {
    const root = join(temporaryFolder(), "with blank");
    const store = await openIn(pathToFileURL(root).href);
    await store.write("a", Buffer.from("1"));
    expect(readFileSync(join(root, "a"), "utf8")).toBe("1");
  });

  test("another scheme is refused with what is supported", async () => {
    await expect(openArtifactStore("gopher://h/p")).rejects.toMatchObject({
      code: "INVALID_PARAMETER_VALUE",
      message: expect.stringMatching(/gopher:.*file:/),
    });
    await expect(openArtifactStore("file://elsewhere/p")).rejects.toMatchObject({
      code: "INVALID_PARAMETER_VALUE",
    });
    await expect(openArtifactStore("constructor:/p")).rejects.toMatchObject({
      code: "INVALID_PARAMETER_VALUE",
    });
  });
});

describe("symbolic links", () => {
  async function withLinks() {
    const folder = temporaryFolder();
    const root = join(folder, "root");
    const outside = join(folder, "outside");
    mkdirSync(join(outside, "sub"), { recursive: true });
    writeFileSync(join(outside, "secret"), "secret");
    writeFileSync(join(folder, "root-sibling"), "secret");
    const store = await openIn(root);
    await store.write("inside/file", Buffer.from("inside"));
    symlinkSync(outside, join(root, "out"));
    symlinkSync(join(outside, "secret"), join(root, "out-file"));
    symlinkSync("../root-sibling", join(root, "sibling"));
    symlinkSync(join(outside, "not-yet"), join(root, "dangling"));
    symlinkSync("inside", join(root, "in"));
    symlinkSync("inside/file", join(root, "in-file"));
    symlinkSync("loop", join(root, "loop"));
    symlinkSync(".millrace-uploads", join(root, "staging"));
    return { store, root, outside };
  }
  const refused = { code: "INVALID_PARAMETER_VALUE", message: /^Invalid path/ };
  const refusal = expect.objectContaining({
    code: refused.code,
    message: expect.stringMatching(refused.message),
  }) as unknown as Error;

  test.each(["out", "out/secret", "out/sub", "out-file", "sibling", "loop", "staging"])(
    "%s is not read",
    async (path) => {
      const { store } = await withLinks();
      await expect(store.read(path)).rejects.toThrow(refusal);
      await expect(store.stat(path)).rejects.toThrow(refusal);
      if (!path.includes("-file") && path !== "sibling" && !path.endsWith("secret")) {
        await expect(store.list(path)).rejects.toThrow(refusal);
      }
    },
  );

  test.each(["out/new", "out/sub/new", "out/made/new", "dangling/new", "loop/new", "staging/new"])(
    "%s is not written",
    async (path) => {
      const { store, root, outside } = await withLinks();
      const before = readdirSync(outside, { recursive: true }).sort();
      await expect(store.write(path, Buffer.from("escaped"))).rejects.toThrow(refusal);
      expect(readdirSync(outside, { recursive: true }).sort()).toEqual(before);
      expect(readdirSync(join(root, ".millrace-uploads"))).toEqual([]);
    },
  );

  test("removing takes the link, never what it leads to", async () => {
    const { store, root, outside } = await withLinks();
    await expect(store.remove("out/secret")).rejects.toThrow(refusal);
    await store.remove("out");
    await store.remove("out-file");
    expect(existsSync(join(root, "out"))).toBe(false);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
    symlinkSync(outside, join(root, "inside", "out"));
    await store.remove("inside");
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
  });

  test("writing over a link replaces the link", async () => {
    const { store, outside } = await withLinks();
    await store.write("out-file", Buffer.from("mine"));
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
    expect((await store.stat("out-file"))?.sizeBytes).toBe(4);
  });

  test("links that stay inside work; others are not listed", async () => {
    const { store } = await withLinks();
    expect((await store.stat("in-file"))?.sizeBytes).toBe(6);
    expect((await store.list("in")).map(({ path }) => path)).toEqual(["in/file"]);
    await store.write("in/more", Buffer.from("1"));
    expect((await store.stat("inside/more"))?.sizeBytes).toBe(1);
    expect((await store.list("")).map(({ path }) => path)).toEqual(["in", "in-file", "inside"]);
  });

  test("a folder swapped for a link while files are written never gets one outside", async () => {
    const { store, root, outside } = await withLinks();
    const swap = join(root, "swapped");
    const tries: Promise<unknown>[] = [];
    for (let round = 0; round < 200; round += 1) {
      tries.push(store.write("swapped/file", Buffer.from("1")).catch(() => undefined));
      rmSync(swap, { recursive: true, force: true });
      if (round % 2 === 0) symlinkSync(outside, swap);
      if (round % 10 === 0) await tries.at(-1);
    }
    await Promise.all(tries);
    expect(existsSync(join(outside, "file"))).toBe(false);
  });
});

describe("other things in the folder", () => {
  test("a named pipe is no artifact and does not block", async () => {
    const root = temporaryFolder();
    const store = await openIn(root);
    execFileSync("mkfifo", [join(root, "pipe")]);
    expect(await store.list("")).toEqual([]);
    expect(await store.stat("pipe")).toBeUndefined();
    await expect(store.read("pipe")).rejects.toMatchObject({ code: "RESOURCE_DOES_NOT_EXIST" });
  });

  test("a file that becomes shorter while it is read fails instead of waiting", async () => {
    const root = temporaryFolder();
    const store = await openIn(root);
    await store.write("file", Buffer.alloc(3_000_000));
    const read = await store.read("file");
    writeFileSync(join(root, "file"), "short");
    const drain = async () => {
      for await (const chunk of read.body) expect(chunk.length).toBeGreaterThan(0);
    };
    await expect(drain()).rejects.toMatchObject({ code: "DATA_LOSS" });
  });

  test("names that a file system cannot hold, and files in the way, are the sender's mistakes", async () => {
    const store = await openIn(temporaryFolder());
    const mistake = { code: "INVALID_PARAMETER_VALUE" };
    await store.write("file", Buffer.from("1"));
    await store.write("folder/file", Buffer.from("1"));
    await expect(store.write("x".repeat(256), Buffer.from("1"))).rejects.toMatchObject(mistake);
    await expect(store.write(`${"x".repeat(256)}/a`, Buffer.from("1"))).rejects.toMatchObject(mistake);
    await expect(store.write("file/below", Buffer.from("1"))).rejects.toMatchObject(mistake);
    await expect(store.write("file/below/deep", Buffer.from("1"))).rejects.toMatchObject(mistake);
    await expect(store.write("folder", Buffer.from("1"))).rejects.toMatchObject(mistake);
    await expect(store.read("file/below")).rejects.toMatchObject({
      code: "RESOURCE_DOES_NOT_EXIST",
    });
    expect(await store.stat("x".repeat(256))).toBeUndefined();
  });

  test("a path that is too long to be opened by its name is not written either", async () => {
    const root = temporaryFolder();
    const store = await openIn(root);
    const deep = "a/".repeat(2_500);
    await expect(store.write(`${deep}file`, Buffer.from("1"))).rejects.toMatchObject({
      code: "INVALID_PARAMETER_VALUE",
      message: expect.stringMatching(/^Invalid path.*4095 bytes|1023 bytes/),
    });
    expect(readdirSync(root)).toEqual([".millrace-uploads"]);
    const folders = `${"b".repeat(249)}/`.repeat(Math.floor((1_023 - root.length - 9) / 250));
    await store.write(`${folders}file`, Buffer.from("1"));
    expect((await store.stat(`${folders}file`))?.sizeBytes).toBe(1);
  });

  test("the folder of unfinished uploads cannot be reached", async () => {
    const root = temporaryFolder();
    const store = await openIn(root);
    writeFileSync(join(root, ".millrace-uploads", "part"), "1");
    expect(await store.list(".millrace-uploads")).toEqual([]);
    expect(await store.stat(".millrace-uploads/part")).toBeUndefined();
    await expect(store.read("./.millrace-uploads/part")).rejects.toMatchObject({
      code: "RESOURCE_DOES_NOT_EXIST",
    });
    for (const path of [".millrace-uploads", ".//.millrace-uploads/part"]) {
      await expect(store.remove(path)).rejects.toMatchObject({ code: "INVALID_PARAMETER_VALUE" });
      await expect(store.write(path, Buffer.from("1"))).rejects.toMatchObject({
        code: "INVALID_PARAMETER_VALUE",
      });
    }
  });
});

describe("interrupted processes", () => {
  const staging = (root: string) => readdirSync(join(root, ".millrace-uploads"));

  test("what a killed process left is removed, what a living one writes stays", async () => {
    const root = temporaryFolder();
    const store = await openIn(root);
    const index = new URL("./index.ts", import.meta.url).href;
    const script = `
      const { openArtifactStore } = await import(${JSON.stringify(index)});
      const store = await openArtifactStore(${JSON.stringify(root)});
      async function* slow() {
        yield Buffer.alloc(2_000_000);
        console.log("writing");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }
      await store.write("killed/file", slow());`;
    const child = spawn(
      process.execPath,
      ["--conditions=millrace-source", "--input-type=module", "-e", script],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(child.stdout, "data");
    expect(staging(root)).toHaveLength(1);
    await openIn(root);
    expect(staging(root)).toHaveLength(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    await openIn(root);
    expect(staging(root)).toEqual([]);
    expect(await store.list("")).toEqual([]);
  });

  test("a second store in the same process spares uploads of the first", async () => {
    const root = temporaryFolder();
    const first = await openIn(root);
    const gate = Promise.withResolvers<void>();
    async function* paused() {
      yield Buffer.alloc(2_000_000, 7);
      await gate.promise;
    }
    const writing = first.write("file", paused());
    while (staging(root).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await openIn(root);
    gate.resolve();
    expect((await writing).sizeBytes).toBe(2_000_000);
  });

  test("closing fails the uploads that are running and leaves nothing of them", async () => {
    const root = temporaryFolder();
    const store = await openIn(root);
    async function* endless() {
      yield Buffer.alloc(2_000_000);
      await new Promise(() => undefined);
    }
    const writing = store.write("file", endless());
    while (staging(root).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([
      expect(writing).rejects.toMatchObject({ code: "TEMPORARILY_UNAVAILABLE" }),
      store.close(),
    ]);
    expect(staging(root)).toEqual([]);
  });

  test("a multipart upload survives a restart, but not a week", async () => {
    const root = temporaryFolder();
    const before = await openIn(root);
    const upload = await before.createMultipart("file", 2);
    const first = await before.writePart(upload, 1, Buffer.from("one, "));
    await before.close();
    const after = await openIn(root);
    const second = await after.writePart(upload, 2, Buffer.from("two"));
    await after.completeMultipart(upload, [first, second]);
    expect(readFileSync(join(root, "file"), "utf8")).toBe("one, two");

    await after.createMultipart("forgotten", 2);
    const [folder = ""] = staging(root);
    const eightDaysAgo = Date.now() / 1_000 - 8 * 86_400;
    utimesSync(join(root, ".millrace-uploads", folder), eightDaysAgo, eightDaysAgo);
    await openIn(root);
    expect(staging(root)).toEqual([]);
  });
});

describe("what the disk refuses", () => {
  test.skipIf(!existsSync("/dev/full"))("a full disk is 503 with a way out", async () => {
    // Every write through this name fails with ENOSPC, as on a full disk.
    const { storeError } = await import("./local-descriptors.ts");
    let failure: unknown;
    try {
      writeFileSync("/dev/full", "x");
    } catch (error) {
      failure = error;
    }
    expect(storeError(failure, "model/weights.bin")).toMatchObject({
      code: "TEMPORARILY_UNAVAILABLE",
      status: 503,
      message: expect.stringMatching(/full.*'model\/weights.bin'.*Free some space/),
    });
  });

  test.skipIf(process.getuid?.() === 0)("a folder without permission says so", async () => {
    const root = temporaryFolder();
    const store = await openIn(root);
    mkdirSync(join(root, "locked"), { mode: 0o500 });
    try {
      await expect(store.write("locked/file", Buffer.from("1"))).rejects.toMatchObject({
        code: "INTERNAL_ERROR",
        message: expect.stringContaining("may not access 'locked/file'"),
      });
    } finally {
      chmodSync(join(root, "locked"), 0o700);
    }
  });

  test("a hard link to a stored file keeps its bytes when the file is replaced", async () => {
    const root = temporaryFolder();
    const store = await openIn(root);
    await store.write("file", Buffer.from("old"));
    linkSync(join(root, "file"), join(root, "kept"));
    await store.write("file", Buffer.from("new"));
    expect(readFileSync(join(root, "kept"), "utf8")).toBe("old");
  });
});
