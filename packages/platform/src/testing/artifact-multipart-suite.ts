import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { ArtifactStore } from "../artifacts/store.ts";
import { bytesOf, digest } from "./artifact-bytes.ts";

/** The part of the artifact store suite about uploads in parts. */
export function artifactMultipartSuite(current: () => ArtifactStore): void {
  describe("multipart", () => {
    const parts = [randomBytes(5_300_000), randomBytes(5_300_000), randomBytes(17)];
    const whole = digest(Buffer.concat(parts));

    test("parts that arrive at once and out of order become one file, or a clear refusal", async () => {
      const store = current();
      if (!store.supports.multipart) {
        await expect(store.createMultipart("multipart/file", 3)).rejects.toMatchObject({
          code: "NOT_IMPLEMENTED",
        });
        return;
      }
      const upload = await store.createMultipart("multipart/file", 3);
      const uploaded = await Promise.all(
        [3, 1, 2].map((number) => sendPart(store, upload, number, parts[number - 1]!)),
      );
      expect(await store.stat("multipart/file")).toBeUndefined();
      const written = await store.completeMultipart(upload, uploaded);
      expect(written.sizeBytes).toBe(10_600_017);
      expect(digest(await bytesOf(store, "multipart/file"))).toBe(whole);
      await expect(store.completeMultipart(upload, uploaded)).rejects.toMatchObject({
        code: "RESOURCE_DOES_NOT_EXIST",
      });
    });

    test("a repeated part replaces the first one", async ({ skip }) => {
      const store = current();
      skip(!store.supports.multipart, "the store has no multipart uploads");
      const upload = await store.createMultipart("multipart/repeated", 1);
      const first = await sendPart(store, upload, 1, Buffer.from("first"));
      const second = await sendPart(store, upload, 1, Buffer.from("second"));
      await expect(store.completeMultipart(upload, [first])).rejects.toMatchObject({
        code: "INVALID_PARAMETER_VALUE",
      });
      await store.completeMultipart(upload, [{ partNumber: 1, etag: `"${second.etag}"` }]);
      expect(Buffer.from(await bytesOf(store, "multipart/repeated")).toString()).toBe("second");
    });

    test("a missing part is named, and the upload can still be completed", async ({ skip }) => {
      const store = current();
      skip(!store.supports.multipart, "the store has no multipart uploads");
      const upload = await store.createMultipart("multipart/gap", 2);
      const second = await sendPart(store, upload, 2, Buffer.from("2"));
      await expect(store.completeMultipart(upload, [second])).rejects.toMatchObject({
        code: "INVALID_PARAMETER_VALUE",
        message: expect.stringContaining("part 1"),
      });
      const first = await sendPart(store, upload, 1, parts[0]!);
      await store.completeMultipart(upload, [first, second]);
      expect((await store.stat("multipart/gap"))?.sizeBytes).toBe(5_300_001);
    });

    test("an abort drops the parts, twice without complaint", async ({ skip }) => {
      const store = current();
      skip(!store.supports.multipart, "the store has no multipart uploads");
      const upload = await store.createMultipart("multipart/dropped", 2);
      const part = await sendPart(store, upload, 1, Buffer.from("1"));
      await store.abortMultipart(upload);
      await store.abortMultipart(upload);
      await expect(store.completeMultipart(upload, [part])).rejects.toMatchObject({
        code: "RESOURCE_DOES_NOT_EXIST",
      });
      expect(await store.stat("multipart/dropped")).toBeUndefined();
    });

    test("unknown uploads, other paths and impossible numbers", async ({ skip }) => {
      const store = current();
      skip(!store.supports.multipart, "the store has no multipart uploads");
      const upload = await store.createMultipart("multipart/odd", 2);
      for (const uploadId of ["", "..", "../..", "a".repeat(32), "0".repeat(32)]) {
        await expect(
          store.completeMultipart({ path: "multipart/odd", uploadId }, [{ partNumber: 1 }]),
        ).rejects.toMatchObject({ code: "RESOURCE_DOES_NOT_EXIST" });
        await store.abortMultipart({ path: "multipart/odd", uploadId });
      }
      await expect(
        store.completeMultipart({ ...upload, path: "multipart/else" }, [{ partNumber: 1 }]),
      ).rejects.toMatchObject({ code: "RESOURCE_DOES_NOT_EXIST" });
      for (const count of [0, -1, 1.5, 10_001, Number.NaN]) {
        await expect(store.createMultipart("multipart/count", count)).rejects.toMatchObject({
          code: "INVALID_PARAMETER_VALUE",
        });
      }
      await expect(store.createMultipart("../out", 1)).rejects.toMatchObject({
        code: "INVALID_PARAMETER_VALUE",
      });
      if (store.supports.directParts) return;
      for (const number of [0, 3, 1.5, Number.NaN]) {
        await expect(store.writePart(upload, number, Buffer.from("1"))).rejects.toMatchObject({
          code: "INVALID_PARAMETER_VALUE",
        });
      }
    });
  });
}

async function sendPart(
  store: ArtifactStore,
  upload: Awaited<ReturnType<ArtifactStore["createMultipart"]>>,
  partNumber: number,
  bytes: Uint8Array,
) {
  if (!store.supports.directParts) return store.writePart(upload, partNumber, bytes);
  const signed = upload.signedParts?.find((part) => part.partNumber === partNumber);
  if (signed === undefined) throw new Error(`The store signed no part ${partNumber}.`);
  const body = new Blob([new Uint8Array(bytes)]);
  const response = await fetch(signed.url, { method: "PUT", headers: signed.headers, body });
  const etag = response.headers.get("etag");
  if (!response.ok || etag === null) throw new Error(`Part ${partNumber}: ${response.status}`);
  return { partNumber, sizeBytes: bytes.length, etag };
}
