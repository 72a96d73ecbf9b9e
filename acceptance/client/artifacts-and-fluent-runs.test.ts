/** Artifacts and fluent runs of the TypeScript client against a real server, Millrace or MLflow. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { client, codeOf, experimentId, folder, newRun, unique, useServer } from "./session.ts";

useServer();

describe("artifacts", () => {
  const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

  test("a folder goes up and comes down the same, with progress", async () => {
    const runId = await newRun();
    const from = path.join(folder, "up");
    await mkdir(path.join(from, "deep", "ünï"), { recursive: true });
    const files: Readonly<Record<string, Uint8Array>> = {
      "a.txt": new TextEncoder().encode("hello"),
      "empty.bin": new Uint8Array(0),
      "deep/big.bin": randomBytes(3 * 1024 * 1024 + 17),
      "deep/ünï/100% 1 ?.txt": randomBytes(100),
    };
    for (const [file, bytes] of Object.entries(files)) await writeFile(path.join(from, file), bytes);
    const totalBytes = Object.values(files).reduce((sum, bytes) => sum + bytes.byteLength, 0);
    const count = Object.keys(files).length;

    const up: unknown[] = [];
    const uploaded = await client.artifacts.uploadFolder({ runId }, from, "data", {
      onProgress: (p) => up.push(p),
    });
    expect(uploaded).toBe(count);
    expect(up.at(-1)).toMatchObject({
      doneBytes: totalBytes,
      totalBytes,
      filesDone: count,
      filesTotal: count,
    });
    expect(up.length).toBeGreaterThan(count);

    const listed = await client.artifacts.list({ runId }, "data").toArray();
    expect(listed.map(({ path: file, isDir }) => [file, isDir])).toEqual([
      ["data/a.txt", false],
      ["data/deep", true],
      ["data/empty.bin", false],
    ]);
    const walked: string[] = [];
    for await (const file of client.artifacts.walk({ runId })) walked.push(file.path);
    expect(walked.sort()).toEqual(
      Object.keys(files)
        .map((file) => `data/${file}`)
        .sort(),
    );

    const to = path.join(folder, "down");
    const down: unknown[] = [];
    await client.artifacts.downloadTo({ runId }, "data", to, { onProgress: (p) => down.push(p) });
    expect(down.at(-1)).toMatchObject({ doneBytes: totalBytes, totalBytes, filesDone: count });
    for (const [file, bytes] of Object.entries(files)) {
      expect(digest(await readFile(path.join(to, "data", file))), file).toBe(digest(bytes));
    }
    // Nothing temporary is left.
    expect((await readdir(path.join(to, "data"))).sort()).toEqual(["a.txt", "deep", "empty.bin"]);
  });

  test("every kind of content goes up", async () => {
    const runId = await newRun();
    const contents = {
      "text.txt": "text",
      "bytes.bin": new TextEncoder().encode("text"),
      "blob.bin": new Blob(["te", "xt"]),
      "stream.bin": new Blob(["text"]).stream(),
    };
    for (const [file, content] of Object.entries(contents)) {
      await client.artifacts.upload({ runId }, file, content);
      expect(await client.artifacts.text({ runId }, file), file).toBe("text");
    }
  });

  test("a single file is downloaded by its path, and a missing one is an error", async () => {
    const runId = await newRun();
    await client.artifacts.upload({ runId }, "a/b.txt", "x");
    const to = path.join(folder, "single");
    expect(await client.artifacts.downloadTo({ runId }, "a/b.txt", to)).toBe(1);
    expect(await readFile(path.join(to, "a/b.txt"), "utf8")).toBe("x");
    expect(await codeOf(client.artifacts.downloadTo({ runId }, "a/none.txt", to))).toEqual([
      "RESOURCE_DOES_NOT_EXIST",
      404,
    ]);
    expect(await readdir(path.join(to, "a"))).toEqual(["b.txt"]);
    await client.artifacts.delete({ runId }, "a");
    expect(await client.artifacts.list({ runId }, "a").toArray()).toEqual([]);
  });

  test("files above the threshold go in parts where the server takes parts, else whole", async () => {
    const runId = await newRun();
    const file = path.join(folder, "parts.bin");
    const bytes = randomBytes(33 * 1024 * 1024);
    await writeFile(file, bytes);
    await client.artifacts.uploadFile({ runId }, file, "m/parts.bin", { multipartBytesMin: 1024 });
    expect(digest(await client.artifacts.bytes({ runId }, "m/parts.bin"))).toBe(digest(bytes));
  });
});

describe("fluent runs", () => {
  test("hold what was logged inside, with MLflow's tags, and children", async () => {
    const [parentId, childId] = await client.withRun(
      { experimentName: `client-${unique}`, runName: "fluent", description: "note", leaseMs: 30_000 },
      async (run) => {
        await run.logParams({ lr: 0.1, deep: true });
        for (let step = 0; step < 2_500; step++) await run.logMetric("loss", 1 / (step + 1), { step });
        await run.logMetrics({ a: 1, b: 2 }, { step: 7 });
        await run.setTags({ mine: "yes" });
        await run.logText("notes/a.txt", "hello");
        await run.logJson("b.json", { c: [1] });
        await run.logInput({ dataset: { name: "d", digest: "1", sourceType: "local", source: "{}" } });
        return [run.runId, await run.withChild({ runName: "child" }, (child) => child.runId)];
      },
    );
    const { info, data } = await client.runs.get(parentId!);
    expect(info).toMatchObject({
      status: "FINISHED",
      runName: "fluent",
      endTime: expect.any(Number),
      experimentId,
    });
    const tags = Object.fromEntries(data.tags.map(({ key, value }) => [key, value]));
    expect(tags).toMatchObject({
      "mlflow.user": expect.any(String),
      "mlflow.source.name": process.argv[1],
      "mlflow.source.type": "LOCAL",
      "mlflow.runName": "fluent",
      "mlflow.note.content": "note",
      mine: "yes",
    });
    expect(data.params).toEqual(
      expect.arrayContaining([
        { key: "lr", value: "0.1" },
        { key: "deep", value: "true" },
      ]),
    );
    const history = await client.metrics
      .history({ runId: parentId!, metricKey: "loss", maxResults: 1_000 })
      .toArray();
    expect(history.length).toBe(2_500);
    expect(await client.artifacts.text({ runId: parentId! }, "notes/a.txt")).toBe("hello");
    expect(JSON.parse(await client.artifacts.text({ runId: parentId! }, "b.json"))).toEqual({ c: [1] });
    const child = await client.runs.get(childId!);
    expect(child.info.status).toBe("FINISHED");
    expect(child.data.tags).toContainEqual({ key: "mlflow.parentRunId", value: parentId });
  });

  test("fail when the function throws, with everything logged before, and throw the same error", async () => {
    const failure = new Error("diverged");
    let runId = "";
    const call = client.withRun({ experimentId }, async (run) => {
      runId = run.runId;
      await run.logMetric("loss", 1);
      throw failure;
    });
    await expect(call).rejects.toBe(failure);
    const { info, data } = await client.runs.get(runId);
    expect(info.status).toBe("FAILED");
    expect(data.metrics.map(({ key }) => key)).toEqual(["loss"]);
  });

  test("a batch with refused entries stores the others and tells which were lost", async () => {
    const runId = await newRun();
    const batcher = client.createBatcher();
    const metrics = Array.from({ length: 50 }, (_, n) => ({
      key: n === 20 ? "a//b" : `m${n}`,
      value: n,
      timestamp: 1,
    }));
    await batcher.add(runId, { metrics, params: [{ key: "p", value: "1" }] });
    await expect(batcher.close()).rejects.toMatchObject({
      code: "INVALID_PARAMETER_VALUE",
      message: expect.stringMatching(/^1 metrics, params or tags could not be logged.*a\/\/b/s),
    });
    expect((await client.runs.get(runId)).data.metrics.length).toBe(49);
  });
});
