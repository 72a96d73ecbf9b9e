import { expect, test } from "vitest";
import { createClient } from "../client.ts";
import { connectionReset, fakeServer, instantly, json } from "../testing.ts";

const content = Uint8Array.from({ length: 1_000 }, (_, index) => index % 251);
const at = { uri: "mlflow-artifacts:/1/r/artifacts" };

/** A body of the bytes from `startByte`, which breaks off before `endByte` is reached. */
function breaking(startByte: number, endByte: number): ReadableStream<Uint8Array> {
  let position = startByte;
  return new ReadableStream({
    pull: (controller) => {
      if (position >= endByte) {
        controller.error(connectionReset());
        return;
      }
      controller.enqueue(content.slice(position, Math.min(endByte, position + 100)));
      position += 100;
    },
  });
}

const whole = { etag: '"v1"', "content-length": "1000" };
const client = (answer: Parameters<typeof fakeServer>[0]) => {
  const { fetch, seen } = fakeServer(answer);
  return { client: createClient({ fetch }, instantly), seen };
};

test("a download that breaks twice goes on where it was", async () => {
  const { client: c, seen } = client(({ headers }, count) => {
    if (count === 1) return new Response(breaking(0, 300), { headers: whole });
    const startByte = Number(/^bytes=(\d+)-$/.exec(headers.get("range") ?? "")?.[1]);
    const body = count === 2 ? breaking(startByte, 700) : content.slice(startByte);
    const range = { etag: '"v1"', "content-range": `bytes ${startByte}-999/1000` };
    return new Response(body, { status: 206, headers: range });
  });
  const moved: number[] = [];
  const bytes = await c.artifacts.bytes(at, "f", { onProgress: ({ doneBytes }) => moved.push(doneBytes) });
  expect(bytes).toEqual(content);
  expect(seen.map(({ headers }) => [headers.get("range"), headers.get("if-range")])).toEqual([
    [null, null],
    ["bytes=300-", '"v1"'],
    ["bytes=700-", '"v1"'],
  ]);
  expect(moved.at(-1)).toBe(1_000);
  expect(moved).toEqual([...moved].sort((a, b) => a - b));
});

test("a file that was replaced meanwhile is not mixed with the old one", async () => {
  const { client: c } = client((_seen, count) =>
    count === 1
      ? new Response(breaking(0, 300), { headers: whole })
      : new Response(content, { status: 200, headers: { ...whole, etag: '"v2"' } }),
  );
  await expect(c.artifacts.bytes(at, "f")).rejects.toMatchObject({ code: "ABORTED" });
});

test("an answer that is shorter than it says is no download", async () => {
  const { client: c } = client(
    () => new Response(content.slice(0, 400), { headers: { "content-length": "1000" } }),
  );
  await expect(c.artifacts.bytes(at, "f")).rejects.toMatchObject({ code: "TEMPORARILY_UNAVAILABLE" });
});

test("an upload of bytes is sent again, a stream is not", async () => {
  const { client: c, seen } = client((_seen, count) => {
    if (count === 1 || count === 3) throw connectionReset();
    return json({});
  });
  const moved: number[] = [];
  await c.artifacts.upload(at, "f", "text", { onProgress: ({ doneBytes }) => moved.push(doneBytes) });
  expect(seen.map(({ body }) => body)).toEqual(["text", "text"]);
  expect(moved).toEqual([4]);
  await expect(c.artifacts.upload(at, "f", new Blob(["text"]).stream())).rejects.toMatchObject({ status: 0 });
  expect(seen.length).toBe(3);
});

test("parts: each is repeated by itself, the order is that of the file, and a failure gives the upload up", async () => {
  const bytes = new Uint8Array(40 * 1024 * 1024).fill(7);
  const stored = new Map<string, number>();
  let failing = "";
  const { client: c, seen } = client(({ method, url, body }, count) => {
    if (url.pathname.endsWith("server-info")) return json({ multipart_uploads_enabled: true });
    if (url.pathname.includes("/mpu/create/")) {
      const { num_parts: parts } = JSON.parse(body) as { num_parts: number };
      const credentials = Array.from({ length: parts }, (_, index) => ({
        url: `https://bucket.example/part/${index + 1}`,
        part_number: index + 1,
        headers: { "x-part": String(index + 1) },
      }));
      return json({ upload_id: "u", credentials });
    }
    if (method === "PUT") {
      if (url.pathname.endsWith(failing) && failing !== "") return new Response("", { status: 403 });
      if (count === 4) return new Response("", { status: 500 });
      stored.set(url.pathname, body.length);
      return new Response("", { headers: { etag: `"e${url.pathname.at(-1)}"` } });
    }
    return json({});
  });
  await c.artifacts.upload(at, "m/f.bin", bytes, { multipartBytesMin: 1 });
  const MiB = 1024 * 1024;
  expect([...stored].sort()).toEqual([
    ["/part/1", 16 * MiB],
    ["/part/2", 16 * MiB],
    ["/part/3", 8 * MiB],
  ]);
  const complete = seen.find(({ url }) => url.pathname.includes("/mpu/complete/"))!;
  expect(complete.url.pathname).toBe("/api/2.0/mlflow-artifacts/mpu/complete/1/r/artifacts/m");
  expect(JSON.parse(complete.body)).toMatchObject({
    path: "f.bin",
    upload_id: "u",
    parts: [
      { part_number: 1, etag: '"e1"' },
      { part_number: 2, etag: '"e2"' },
      { part_number: 3, etag: '"e3"' },
    ],
  });
  failing = "/2";
  await expect(c.artifacts.upload(at, "m/f.bin", bytes, { multipartBytesMin: 1 })).rejects.toMatchObject({
    status: 403,
  });
  expect(seen.at(-1)!.url.pathname).toContain("/mpu/abort/");
});

test("a server that cannot take parts after all gets the file whole", async () => {
  const { client: c, seen } = client(({ url }) => {
    if (url.pathname.endsWith("server-info")) return json({ multipart_uploads_enabled: true });
    if (url.pathname.includes("/mpu/create/")) {
      return json({ error_code: "NOT_IMPLEMENTED", message: "no" }, { status: 501 });
    }
    return json({});
  });
  await c.artifacts.upload(at, "m/f.bin", "text", { multipartBytesMin: 1 });
  expect(seen.at(-1)).toMatchObject({ method: "PUT", body: "text" });
});
