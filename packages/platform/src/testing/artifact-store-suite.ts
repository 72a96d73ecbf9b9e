import { createHash, randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ArtifactStore } from "../artifacts/store.ts";
import { bytesOf, collect, digest, inPieces } from "./artifact-bytes.ts";
import { artifactMultipartSuite } from "./artifact-multipart-suite.ts";

const LARGE_BYTES = 9 * 1024 * 1024 + 13;

/**
 * What every artifact store must do, whoever wrote it. `open` gives an empty store; it is called once and the
 * store is closed at the end. Features that a store does not claim are tested for a clear refusal.
 */
export function artifactStoreSuite(name: string, open: () => Promise<ArtifactStore>): void {
  describe(`artifact store ${name}`, () => {
    let store: ArtifactStore;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    const text = async (path: string) => Buffer.from(await bytesOf(store, path)).toString();

    describe("bytes", () => {
      test.each([0, 1, 4_096, 65_535, 65_536, 65_537, 524_288, 524_289, LARGE_BYTES])(
        "%i bytes come back exactly, written whole or in odd pieces",
        async (sizeBytes) => {
          const bytes = randomBytes(sizeBytes);
          const whole = await store.write(`bytes/whole-${sizeBytes}`, bytes, { sizeBytes });
          const pieces = await store.write(`bytes/pieces-${sizeBytes}`, inPieces(bytes, 40_961));
          for (const [path, written] of [
            [`bytes/whole-${sizeBytes}`, whole],
            [`bytes/pieces-${sizeBytes}`, pieces],
          ] as const) {
            expect(written.sizeBytes).toBe(sizeBytes);
            expect(digest(await bytesOf(store, path))).toBe(digest(bytes));
            const stat = await store.stat(path);
            expect(stat).toMatchObject({ sizeBytes, isDirectory: false, etag: written.etag });
          }
        },
      );

      test("a producer may reuse its chunk", async () => {
        async function* reusing() {
          const chunk = new Uint8Array(100_000);
          for (let i = 0; i < 30; i += 1) {
            chunk.fill(i);
            yield chunk;
            chunk.fill(255);
          }
        }
        await store.write("bytes/reused", reusing());
        const bytes = await bytesOf(store, "bytes/reused");
        for (let i = 0; i < 30; i += 1) {
          expect(new Set(bytes.subarray(i * 100_000, (i + 1) * 100_000))).toEqual(new Set([i]));
        }
      });

      test("a reader that has done with each chunk gets the same bytes from reused memory", async () => {
        const bytes = randomBytes(LARGE_BYTES);
        await store.write("bytes/large", bytes);
        const hash = createHash("sha256");
        const { body } = await store.read("bytes/large", undefined, { reuseChunks: true });
        for await (const chunk of body) {
          hash.update(chunk);
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(hash.digest("hex")).toBe(digest(bytes));
      });

      test("a later write replaces the file and changes its etag", async () => {
        const before = await store.write("bytes/twice", Buffer.from("a longer first text"));
        const after = await store.write("bytes/twice", Buffer.from("second"));
        expect(after.etag).not.toBe(before.etag);
        expect(await text("bytes/twice")).toBe("second");
      });

      test("who reads while the file is replaced gets the old bytes", async () => {
        const old = randomBytes(LARGE_BYTES);
        await store.write("bytes/busy", old);
        const read = await store.read("bytes/busy");
        const chunks = read.body[Symbol.asyncIterator]();
        const first = await chunks.next();
        await store.write("bytes/busy", Buffer.from("new"));
        const rest: Uint8Array[] = [first.value as Uint8Array];
        for (;;) {
          const next = await chunks.next();
          if (next.done) break;
          rest.push(next.value);
        }
        expect(digest(Buffer.concat(rest))).toBe(digest(old));
        expect(await text("bytes/busy")).toBe("new");
      });

      test("a read may be left early, or never begun", async () => {
        await store.write("bytes/left", randomBytes(LARGE_BYTES));
        const read = await store.read("bytes/left");
        for await (const chunk of read.body) {
          expect(chunk.length).toBeGreaterThan(0);
          break;
        }
        await read.close();
        const unread = await store.read("bytes/left");
        await unread.close();
        await unread.close();
      });
    });

    describe("ranges", () => {
      const bytes = randomBytes(600_000);
      beforeAll(() => store.write("ranges/file", bytes));

      test.each([
        [{ start: 0, endInclusive: 0 }, 0, 1],
        [{ start: 0 }, 0, 600_000],
        [{ start: 599_999 }, 599_999, 1],
        [{ start: 10, endInclusive: 19 }, 10, 10],
        [{ start: 500_000, endInclusive: 9_000_000 }, 500_000, 100_000],
        [{ start: 1, endInclusive: 550_000 }, 1, 550_000],
        [{ last: 7 }, 599_993, 7],
        [{ last: 9_000_000 }, 0, 600_000],
      ])("%j", async (range, start, lengthBytes) => {
        const read = await store.read("ranges/file", range);
        expect(read).toMatchObject({ sizeBytes: 600_000, start, lengthBytes });
        expect(digest(await collect(read))).toBe(digest(bytes.subarray(start, start + lengthBytes)));
      });

      test.each([{ start: 600_000 }, { start: 5, endInclusive: 4 }, { last: 0 }])(
        "%j cannot be satisfied",
        async (range) => {
          await expect(store.read("ranges/file", range)).rejects.toMatchObject({
            code: "RANGE_NOT_SATISFIABLE",
            details: { sizeBytes: 600_000 },
          });
        },
      );

      test("an empty file has no range, but can be read", async () => {
        await store.write("ranges/empty", new Uint8Array());
        expect(await bytesOf(store, "ranges/empty")).toHaveLength(0);
        await expect(store.read("ranges/empty", { start: 0 })).rejects.toMatchObject({
          code: "RANGE_NOT_SATISFIABLE",
        });
      });
    });

    describe("listing", () => {
      test("direct children only, sorted by code point, with sizes", async () => {
        for (const path of ["b/deep/er/file", "b/x", "B", "a", "\u{ff5e}", "\u{1f600}", "a b"]) {
          await store.write(`list/${path}`, Buffer.from(path));
        }
        expect(await store.list("list")).toEqual([
          { path: "list/B", isDirectory: false, sizeBytes: 1 },
          { path: "list/a", isDirectory: false, sizeBytes: 1 },
          { path: "list/a b", isDirectory: false, sizeBytes: 3 },
          { path: "list/b", isDirectory: true, sizeBytes: 0 },
          { path: "list/\u{ff5e}", isDirectory: false, sizeBytes: 3 },
          { path: "list/\u{1f600}", isDirectory: false, sizeBytes: 4 },
        ]);
        expect((await store.list("list/b")).map(({ path }) => path)).toEqual(["list/b/deep", "list/b/x"]);
      });

      test("the root shows what was stored and nothing of the store's own", async () => {
        await store.write("top", Buffer.from("1"));
        const names = (await store.list("")).map(({ path }) => path);
        expect(names).toContain("top");
        expect(names.filter((each) => each.startsWith("."))).toEqual([]);
      });

      test("`model` does not see `model2`", async () => {
        await store.write("prefix/model/a", Buffer.from("1"));
        await store.write("prefix/model2/b", Buffer.from("2"));
        await store.write("prefix/model.txt", Buffer.from("3"));
        expect((await store.list("prefix/model")).map(({ path }) => path)).toEqual(["prefix/model/a"]);
        await store.remove("prefix/model");
        expect((await store.list("prefix")).map(({ path }) => path)).toEqual([
          "prefix/model.txt",
          "prefix/model2",
        ]);
      });

      test("a missing directory and a file have no children", async () => {
        await store.write("list-none/file", Buffer.from("1"));
        expect(await store.list("list-none/missing")).toEqual([]);
        expect(await store.list("list-none/file")).toEqual([]);
        expect(await store.list("list-none/file/below")).toEqual([]);
        expect(await store.list(`list-none/${"x".repeat(300)}`)).toEqual([]);
      });
    });

    describe("names", () => {
      test.each([
        "a b.txt",
        "über/größe.txt",
        "e\u0301 and \u00e9",
        "模型/权重.bin",
        "😀",
        "100%",
        "%2e%2e",
        "a%2fb",
        "a..b",
        "...",
        "-rf",
        "a?b=c&d;e+f",
        "'\"`$(x)",
        "con.txt",
        `${"n".repeat(200)}.txt`,
      ])("%s", async (path) => {
        await store.write(`names/${path}`, Buffer.from(path));
        expect(await text(`names/${path}`)).toBe(path);
        const parent = `names/${path}`.split("/").slice(0, -1).join("/");
        expect((await store.list(parent)).map((entry) => entry.path)).toContain(`names/${path}`);
        await store.remove(`names/${path}`);
        expect(await store.stat(`names/${path}`)).toBeUndefined();
      });
    });

    describe("mistakes", () => {
      test("a missing file", async () => {
        expect(await store.stat("nowhere/file")).toBeUndefined();
        await expect(store.read("nowhere/file")).rejects.toMatchObject({
          code: "RESOURCE_DOES_NOT_EXIST",
          message: expect.stringContaining("nowhere/file"),
        });
        await store.remove("nowhere/file");
      });

      test("reading a directory", async () => {
        await store.write("directory/file", Buffer.from("1"));
        expect(await store.stat("directory")).toMatchObject({ isDirectory: true, sizeBytes: 0 });
        await expect(store.read("directory")).rejects.toMatchObject({
          code: "INVALID_PARAMETER_VALUE",
        });
      });

      test("a body that is shorter or longer than announced stores nothing", async () => {
        for (const [sizeBytes, body] of [
          [5, Buffer.from("four")],
          [3, Buffer.from("four")],
          [700_000, inPieces(randomBytes(600_000), 65_536)],
          [500_000, inPieces(randomBytes(600_000), 65_536)],
        ] as const) {
          await expect(store.write("mistakes/size", body, { sizeBytes })).rejects.toMatchObject({
            code: "INVALID_PARAMETER_VALUE",
          });
        }
        expect(await store.stat("mistakes/size")).toBeUndefined();
        expect(await store.list("mistakes")).toEqual([]);
      });

      test("the root can be neither removed nor overwritten", async () => {
        for (const path of ["", ".", "./"]) {
          await expect(store.remove(path)).rejects.toMatchObject({
            code: "INVALID_PARAMETER_VALUE",
          });
          await expect(store.write(path, Buffer.from("1"))).rejects.toMatchObject({
            code: "INVALID_PARAMETER_VALUE",
          });
        }
      });

      test.each([
        "../out",
        "a/../../out",
        "..",
        "a/..",
        "/etc/passwd",
        "//etc/passwd",
        "a/\0/b",
        "a\0",
        "\ud800",
      ])("climbing: %j", (path) => refusesEverywhere(store, path));
    });

    test("paths made of climbing pieces never leave the root", async () => {
      await store.write("fuzz/secret", Buffer.from("inside"));
      const piece = fc.constantFrom("..", ".", "/", "//", "\0", "a", "%2e%2e", "\\", "fuzz", "~");
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 7 }), async (pieces) => {
          const path = pieces.join("");
          const climbs = path.split("/").includes("..") || path.startsWith("/");
          if (climbs || path.includes("\0")) await refusesEverywhere(store, path);
          else {
            await store.stat(path);
            await store.list(path);
          }
        }),
        { numRuns: 200 },
      );
    });

    describe("uploads that fail", () => {
      test("a body that throws leaves the old file and nothing else", async () => {
        await store.write("failing/file", Buffer.from("old"));
        const before = await everything(store);
        for (const afterBytes of [0, 10, 2_000_000]) {
          await expect(store.write("failing/file", breaking(afterBytes))).rejects.toThrow("cut off");
          await expect(store.write("failing/new/file", breaking(afterBytes))).rejects.toThrow("cut off");
        }
        expect(await everything(store)).toEqual(before);
        expect(await text("failing/file")).toBe("old");
      });

      test("an aborted upload ends even when its sender is silent, and lets go of it", async () => {
        const controller = new AbortController();
        let released = false;
        const silent: AsyncIterable<Uint8Array> = {
          [Symbol.asyncIterator]: () => ({
            next: () => new Promise<never>(() => undefined),
            return: () => {
              released = true;
              return Promise.resolve({ done: true, value: undefined });
            },
          }),
        };
        const writing = store.write("aborted/file", silent, { signal: controller.signal });
        setTimeout(() => controller.abort(), 10);
        await expect(writing).rejects.toMatchObject({ code: "CANCELLED" });
        expect(released).toBe(true);
        expect(await store.stat("aborted")).toBeUndefined();
      });

      test("a body that fails because its upload was aborted fails the upload alone", async () => {
        const unhandled: unknown[] = [];
        const note = (reason: unknown): void => void unhandled.push(reason);
        process.on("unhandledRejection", note);
        const controller = new AbortController();
        async function* cut(): AsyncGenerator<Uint8Array> {
          yield Buffer.from("1");
          controller.abort();
          throw new Error("the connection is gone");
        }
        await expect(store.write("cut/file", cut(), { signal: controller.signal })).rejects.toThrow();
        // Node reports a rejection that nobody listens to after the microtasks.
        await new Promise((resolve) => setImmediate(resolve));
        process.off("unhandledRejection", note);
        expect(unhandled).toEqual([]);
        expect(await store.stat("cut")).toBeUndefined();
      });

      test("a signal that is aborted already stores nothing", async () => {
        const signal = AbortSignal.abort();
        await expect(store.write("aborted/early", Buffer.from("1"), { signal })).rejects.toMatchObject({
          code: "CANCELLED",
        });
        expect(await store.stat("aborted/early")).toBeUndefined();
      });
    });

    describe("at once", () => {
      test("64 writers into one new folder", async () => {
        const paths = Array.from({ length: 64 }, (_, i) => `at-once/deep/folder/file-${i}`);
        await Promise.all(paths.map((path) => store.write(path, Buffer.from(path))));
        expect(await store.list("at-once/deep/folder")).toHaveLength(64);
        for (const path of paths) expect(await text(path)).toBe(path);
      });

      test("writers of one file: one of them wins whole", async () => {
        const bodies = Array.from({ length: 8 }, (_, i) => Buffer.alloc(1_000_000 + i, i));
        await Promise.all(bodies.map((body) => store.write("at-once/same", inPieces(body, 100_000))));
        const won = digest(await bytesOf(store, "at-once/same"));
        expect(bodies.map(digest)).toContain(won);
      });

      test("a folder that is removed while it is written to", async () => {
        for (let round = 0; round < 20; round += 1) {
          await Promise.all([
            store.write("at-once/racing/a", Buffer.from("a")),
            store.remove("at-once/racing"),
            store.write("at-once/racing/b", Buffer.from("b")),
          ]);
        }
        await store.write("at-once/racing/a", Buffer.from("last"));
        expect(await text("at-once/racing/a")).toBe("last");
      });
    });

    describe("removing", () => {
      test("a tree", async () => {
        await store.write("tree/a/b/c", Buffer.from("1"));
        await store.write("tree/a/d", Buffer.from("2"));
        await store.write("tree/e", Buffer.from("3"));
        await store.remove("tree/a");
        expect((await store.list("tree")).map(({ path }) => path)).toEqual(["tree/e"]);
        await expect(store.read("tree/a/d")).rejects.toMatchObject({
          code: "RESOURCE_DOES_NOT_EXIST",
        });
      });

      test("a file below a file is missing, not an error", async () => {
        await store.write("tree/file", Buffer.from("1"));
        await store.remove("tree/file/below");
        expect(await text("tree/file")).toBe("1");
      });
    });

    artifactMultipartSuite(() => store);

    describe("signing", () => {
      test("signs an upload, or says that it cannot", async () => {
        const signed = store.signUpload("model/weights.bin", { expiresInSeconds: 60 });
        if (store.supports.signedUpload) {
          expect((await signed).url.protocol).toMatch(/^https?:$/);
        } else await expect(signed).rejects.toMatchObject({ code: "NOT_IMPLEMENTED" });
      });

      test("signs a download, or says that it cannot", async () => {
        await store.write("signed/file", Buffer.from("1"));
        const signed = store.signDownload("signed/file", { expiresInSeconds: 60 });
        if (store.supports.signedDownload) {
          const { url, headers } = await signed;
          expect(await (await fetch(url, { headers })).text()).toBe("1");
        } else await expect(signed).rejects.toMatchObject({ code: "NOT_IMPLEMENTED" });
      });
    });
  });
}

/** Every operation refuses the path, naming it invalid. */
async function refusesEverywhere(store: ArtifactStore, path: string): Promise<void> {
  await refuses(store.read(path));
  await refuses(store.stat(path));
  await refuses(store.list(path));
  await refuses(store.write(path, Buffer.from("escaped")));
  await refuses(store.remove(path));
}

async function refuses(attempt: Promise<unknown>): Promise<void> {
  await expect(attempt).rejects.toMatchObject({
    code: "INVALID_PARAMETER_VALUE",
    message: expect.stringMatching(/^Invalid path/),
  });
}

/** All paths of the store with their etags. */
async function everything(store: ArtifactStore, directory = ""): Promise<string[]> {
  const found: string[] = [];
  for (const { path, isDirectory } of await store.list(directory)) {
    if (isDirectory) found.push(`${path}/`, ...(await everything(store, path)));
    else found.push(`${path} ${(await store.stat(path))?.etag}`);
  }
  return found;
}

async function* breaking(afterBytes: number): AsyncGenerator<Uint8Array> {
  yield* inPieces(randomBytes(afterBytes), 65_536);
  throw new Error("cut off");
}
