import { describe, expect, it } from "vitest";
import { ajax, call, expectError, ok, proxy, send } from "./call.ts";
import { createRegisteredModel, createRun, createVersion, unique } from "./entities.ts";

const put = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  send({ method: "PUT", path: `${proxy}/${path}`, body, headers });
const get = (path: string, headers: Record<string, string> = {}) =>
  send({ method: "GET", path: `${proxy}/${path}`, headers });

describe("the artifact proxy", () => {
  it("keeps bytes exactly, of none and of many", async () => {
    const folder = unique("bytes");
    const large = Buffer.alloc(3_000_000, "0123456789abcdef");
    for (const [name, bytes] of [
      ["empty", Buffer.alloc(0)],
      ["small", Buffer.from([0, 1, 254, 255])],
      ["large", large],
    ] as const) {
      expect(await put(`${folder}/${name}`, bytes)).toMatchObject({ status: 200, text: "" });
      const answer = await get(`${folder}/${name}`);
      expect(answer.status).toBe(200);
      expect(answer.bytes.equals(bytes)).toBe(true);
    }
  });

  it("lists the direct children by name; an empty file has no size", async () => {
    const folder = unique("list");
    for (const [path, body] of [
      ["a.txt", "hello"],
      ["empty", ""],
      ["sub/deep/b.bin", "x"],
    ] as const) {
      await put(`${folder}/${path}`, body);
    }
    expect(await ok("GET", proxy, { path: folder })).toEqual({
      files: [
        { path: "a.txt", is_dir: false, file_size: 5 },
        { path: "empty", is_dir: false },
        { path: "sub", is_dir: true },
      ],
    });
    expect(await ok("GET", proxy, { path: `${folder}/sub` })).toEqual({
      files: [{ path: "deep", is_dir: true }],
    });
    const { files } = await ok<{ files: object[] }>("GET", proxy);
    expect(files).toContainEqual({ path: folder, is_dir: true });
  });

  it("does not take a folder for another whose name it begins", async () => {
    const folder = unique("prefix");
    await put(`${folder}/model/a`, "1");
    await put(`${folder}/model2/b`, "2");
    expect(await ok("GET", proxy, { path: `${folder}/model` })).toEqual({
      files: [{ path: "a", is_dir: false, file_size: 1 }],
    });
    await call("DELETE", `${proxy}/${folder}/model`);
    expect(await ok("GET", proxy, { path: folder })).toEqual({ files: [{ path: "model2", is_dir: true }] });
  });

  it("overwrites", async () => {
    const path = `${unique("over")}/a`;
    await put(path, "a longer first text");
    await put(path, "second");
    expect((await get(path)).text).toBe("second");
  });

  it("takes names with spaces, Unicode and percent signs, and any content type", async () => {
    const folder = unique("names");
    const names = ["a b.txt", "naïve.txt", "学习.bin", "100%.txt", "a+b&c=d.txt"];
    for (const name of names) {
      const encoded = `${folder}/${encodeURIComponent(name)}`;
      expect(await put(encoded, name, { "content-type": "image/png" })).toMatchObject({ status: 200 });
      expect((await get(encoded)).text).toBe(name);
    }
    const { files } = await ok<{ files: { path: string }[] }>("GET", proxy, { path: folder });
    expect(files.map(({ path }) => path).sort()).toEqual(names.sort());
  });

  it("downloads as an attachment that is not sniffed, with length, validators and type", async () => {
    const folder = unique("headers");
    await put(`${folder}/page.html`, "<script>alert(1)</script>");
    const { headers, status } = await get(`${folder}/page.html`);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "content-length": "25",
      "accept-ranges": "bytes",
      etag: expect.stringMatching(/^"[^"]+"$/),
      "last-modified": expect.stringMatching(/GMT$/),
    });
    expect(headers["content-disposition"]).toMatch(/^attachment;\s*filename="?page\.html"?$/);
    await put(`${folder}/noextension`, "x");
    expect((await get(`${folder}/noextension`)).headers["content-type"]).toBe("application/octet-stream");
  });

  it.each([
    ["bytes=0-3", 206, "hell", "bytes 0-3/11"],
    ["bytes=6-", 206, "world", "bytes 6-10/11"],
    ["bytes=-5", 206, "world", "bytes 6-10/11"],
    ["bytes=6-100", 206, "world", "bytes 6-10/11"],
    ["bytes=100-", 416, undefined, "bytes */11"],
  ])("answers the range %s", async (range, status, text, contentRange) => {
    const path = `${unique("range")}/a.txt`;
    await put(path, "hello world");
    const answer = await get(path, { range });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-range"]).toBe(contentRange);
    if (text !== undefined) expect(answer.text).toBe(text);
  });

  it("answers 404 for a missing file and 400 for a folder", async () => {
    const folder = unique("missing");
    await put(`${folder}/a`, "1");
    expectError(await get(`${folder}/none`), 404, "RESOURCE_DOES_NOT_EXIST");
    expect((await get(folder)).status).toBe(400);
  });

  it("deletes files, trees and what is not there", async () => {
    const folder = unique("delete");
    await put(`${folder}/a/b`, "1");
    await put(`${folder}/c`, "2");
    for (const path of [`${folder}/c`, folder, folder]) {
      expect(await call("DELETE", `${proxy}/${path}`)).toMatchObject({ status: 200, body: {} });
    }
    expect(await ok("GET", proxy, { path: folder })).toEqual({});
  });

  it.each([
    "../x",
    "a/../../x",
    "%2e%2e/x",
    "%252e%252e/x",
    "%25252e%25252e/x",
    "..%2fx",
    "file:///etc/passwd",
    "a%23b",
  ])("refuses the path %s, whatever is asked", async (path) => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await send({
        method,
        path: `${proxy}/${path}`,
        ...(method === "PUT" ? { body: "x" } : {}),
      });
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", "Invalid path");
    }
  });

  it.each(["%2fetc/passwd", "/etc/passwd"])("neither reads nor writes the absolute path %s", async (path) => {
    for (const answer of [await get(path), await put(path, "x")]) {
      expectError(answer, 400, "INVALID_PARAMETER_VALUE", "Invalid path");
    }
  });

  it("refuses to list outside", async () => {
    for (const path of ["../x", "/etc", "a/../../x", "%2e%2e/x"]) {
      expectError(await call("GET", proxy, { path }), 400, "INVALID_PARAMETER_VALUE", "Invalid path");
    }
    const { run_id } = await createRun();
    const list = await call("GET", "artifacts/list", { run_id, path: "../x" });
    expectError(list, 400, "INVALID_PARAMETER_VALUE", "Invalid path");
  });

  it("has an /ajax-api twin", async () => {
    const path = `${unique("twin")}/a`;
    const twin = proxy.replace("/api/", "/ajax-api/");
    expect(await send({ method: "PUT", path: `${twin}/${path}`, body: "x" })).toMatchObject({ status: 200 });
    expect((await get(path)).text).toBe("x");
  });

  it("takes an upload in parts, or answers 501 so that the client sends the file whole", async () => {
    const mpu = "/api/2.0/mlflow-artifacts/mpu";
    const path = `${unique("parts")}/big.bin`;
    const parts = [Buffer.alloc(5_000_000, "a"), Buffer.from("the rest")];
    type Created = {
      upload_id: string;
      credentials: { url: string; part_number: number; headers?: object }[];
    };
    const created = await call<Created>("POST", `${mpu}/create/${path}`, { path, num_parts: parts.length });
    if (created.status === 501) {
      expectError(created, 501, "NOT_IMPLEMENTED");
      expectError(
        await call("POST", `${mpu}/abort/${path}`, { path, upload_id: "u" }),
        501,
        "NOT_IMPLEMENTED",
      );
      return;
    }
    expect(created, created.text).toMatchObject({ status: 200 });
    const { upload_id, credentials } = created.body;
    const done: object[] = [];
    for (const [i, { url, part_number, headers }] of credentials.entries()) {
      const body = new Uint8Array(parts[i] ?? []);
      const response = await fetch(url, { method: "PUT", headers: { ...headers }, body });
      expect(response.status).toBe(200);
      done.push({ part_number, etag: response.headers.get("etag"), url });
    }
    expect((await get(path)).status).toBe(404);
    expect(await call("POST", `${mpu}/complete/${path}`, { path, upload_id, parts: done })).toMatchObject({
      status: 200,
    });
    expect((await get(path)).bytes.equals(Buffer.concat(parts))).toBe(true);

    const other = await ok<Created>("POST", `${mpu}/create/${path}2`, { path: `${path}2`, num_parts: 1 });
    await ok("POST", `${mpu}/abort/${path}2`, { path: `${path}2`, upload_id: other.upload_id });
    const late = { path: `${path}2`, upload_id: other.upload_id, parts: [] };
    expect((await call("POST", `${mpu}/complete/${path}2`, late)).status).toBeGreaterThanOrEqual(400);
    expect((await get(`${path}2`)).status).toBe(404);
  });

  it("signs no downloads of local files, and wants the path of an upload in parts", async () => {
    expectError(await call("GET", "/api/2.0/mlflow-artifacts/presigned/a"), 501, "NOT_IMPLEMENTED");
    const incomplete = await call("POST", "/api/2.0/mlflow-artifacts/mpu/create/a", { num_parts: 2 });
    expectError(incomplete, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'path'");
  });
});

describe("artifacts of a run", () => {
  it("are listed with their path from the run, whatever way they came", async () => {
    const run = await createRun();
    const { run_id } = run;
    const root_uri = String(run["artifact_uri"]);
    expect(await ok("GET", "artifacts/list", { run_id })).toEqual({ root_uri });
    await put(`${run.experiment_id}/${run_id}/artifacts/dir/a.txt`, "hello");
    const upload = {
      method: "POST",
      path: `${ajax}upload-artifact?run_uuid=${run_id}&path=b.txt`,
      body: "abc",
    };
    expect(await send(upload)).toMatchObject({ status: 200 });
    expect(await ok("GET", "artifacts/list", { run_id })).toEqual({
      root_uri,
      files: [
        { path: "b.txt", is_dir: false, file_size: 3 },
        { path: "dir", is_dir: true },
      ],
    });
  });

  it("are downloaded through /get-artifact by run_id or run_uuid", async () => {
    const run = await createRun();
    await put(`${run.experiment_id}/${run.run_id}/artifacts/dir/a.txt`, "hello");
    for (const key of ["run_id", "run_uuid"]) {
      const answer = await call("GET", "/get-artifact", { [key]: run.run_id, path: "dir/a.txt" });
      expect(answer).toMatchObject({ status: 200, text: "hello" });
      expect(answer.headers["content-disposition"]).toMatch(/^attachment/);
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    }
    const missing = await call("GET", "/get-artifact", { run_id: run.run_id, path: "none" });
    expectError(missing, 404, "RESOURCE_DOES_NOT_EXIST");
    expect((await call("GET", "/get-artifact", { run_id: run.run_id })).status).toBe(400);
    const climbing = await call("GET", "/get-artifact", { run_id: run.run_id, path: "../x" });
    expectError(climbing, 400, "INVALID_PARAMETER_VALUE", "Invalid path");
  });

  it("are downloaded through the model version that has them", async () => {
    const run = await createRun();
    await put(`${run.experiment_id}/${run.run_id}/artifacts/model/MLmodel`, "flavors: {}");
    const name = await createRegisteredModel();
    await createVersion(name, { source: `${String(run["artifact_uri"])}/model`, run_id: run.run_id });
    const query = { name, version: "1", path: "MLmodel" };
    const answer = await call("GET", "/model-versions/get-artifact", query);
    expect(answer).toMatchObject({ status: 200, text: "flavors: {}" });
    expect(answer.headers["content-disposition"]).toMatch(/^attachment/);
    const unknown = await call("GET", "/model-versions/get-artifact", { ...query, version: "9" });
    expectError(unknown, 404, "RESOURCE_DOES_NOT_EXIST", `Model Version (name=${name}, version=9) not found`);
  });

  it("cannot be uploaded without run, path or bytes, nor beyond 10 MB", async () => {
    const { run_id } = await createRun();
    const upload = (query: string, body: string | Uint8Array) =>
      send({ method: "POST", path: `${ajax}upload-artifact?${query}`, body });
    expectError(await upload("path=a", "x"), 400, "INVALID_PARAMETER_VALUE", "run_uuid");
    expectError(await upload(`run_uuid=${run_id}`, "x"), 400, "INVALID_PARAMETER_VALUE", "path");
    expectError(await upload(`run_uuid=${run_id}&path=a`, ""), 400, "INVALID_PARAMETER_VALUE", "data");
    const large = await upload(`run_uuid=${run_id}&path=a`, Buffer.alloc(10 * 1024 * 1024 + 1));
    expectError(large, 400, "INVALID_PARAMETER_VALUE");
  });

  it("have no presigned addresses behind the proxy", async () => {
    const { run_id } = await createRun();
    const up = await call("POST", "artifacts/presigned-upload-url", { run_id, path: "a" });
    expectError(up, 400, "INVALID_PARAMETER_VALUE", "not supported");
    const down = await call("POST", "artifacts/presigned-download-url", { run_id, path: "a" });
    expectError(down, 400, "INVALID_PARAMETER_VALUE", "not supported");
    const neither = await call("POST", "artifacts/presigned-upload-url", { path: "a" });
    expectError(neither, 400, "INVALID_PARAMETER_VALUE", "run_id");
  });
});
