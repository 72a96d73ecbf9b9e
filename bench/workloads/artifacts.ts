import { randomFillSync } from "node:crypto";
import type { Api } from "../load/api.ts";
import { drive } from "../load/drive.ts";
import { httpRequest, requestHead } from "../load/requests.ts";
import { treePssMib } from "../measure/process-tree.ts";
import { median } from "../measure/quantiles.ts";
import type { Workload } from "../session.ts";
import { sizeNote } from "./summary.ts";

const root = "/api/2.0/mlflow-artifacts/artifacts/bench";
const pieceBytes = 1024 * 1024;
const contentType = "application/octet-stream";

/** Sends a large body in pieces under back-pressure; gives seconds from first byte to the answer. */
async function upload(api: Api, path: string, content: Buffer): Promise<number> {
  const connection = await api.connection();
  const startMs = performance.now();
  const answer = connection.request(requestHead("PUT", path, content.length, contentType));
  // A rejection closes the connection early; `await answer` below reports it.
  answer.catch(() => {});
  for (let at = 0; at < content.length && connection.alive; at += pieceBytes)
    await connection.write(content.subarray(at, at + pieceBytes));
  const { status, body } = await answer;
  const seconds = (performance.now() - startMs) / 1000;
  if (status !== 200) throw new Error(`PUT answered ${String(status)}: ${body.toString().slice(0, 200)}`);
  return seconds;
}

/** Reads a large body and compares every byte with what was uploaded. */
async function download(api: Api, path: string, content: Buffer): Promise<number> {
  let received = 0;
  let wrong = false;
  const answer = await api.timed(httpRequest("GET", path), (bytes) => {
    if (!wrong && bytes.compare(content, received, received + bytes.length) !== 0) wrong = true;
    received += bytes.length;
  });
  if (answer.status !== 200) throw new Error(`GET answered ${String(answer.status)}.`);
  if (wrong || received !== content.length)
    throw new Error(
      `The download differs from the upload (${String(received)} of ${String(content.length)} bytes).`,
    );
  return answer.ms / 1000;
}

/** Highest PSS of the server while `work` runs, above what it was before. */
async function growthMib(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = treePssMib(pid);
  let highest = before;
  const timer = setInterval(() => (highest = Math.max(highest, treePssMib(pid))), 25);
  await work().finally(() => clearInterval(timer));
  return Math.max(highest, treePssMib(pid)) - before;
}

export const artifactLarge: Workload = {
  name: "artifact-large",
  figures: [
    {
      id: "artifact-large.up",
      title: "artifact of 256 MiB up",
      unit: "MB/s",
      better: "higher",
      goals: [{ bound: "at least", value: 600 }],
    },
    {
      id: "artifact-large.down",
      title: "artifact of 256 MiB down",
      unit: "MB/s",
      better: "higher",
      goals: [{ bound: "at least", value: 900 }],
    },
    {
      id: "artifact-large.growth",
      title: "growth of the server's memory meanwhile",
      unit: "MiB",
      better: "lower",
      goals: [{ bound: "at most", value: 32 }],
    },
  ],
  async run({ api, server, options, target }) {
    const content = randomFillSync(Buffer.allocUnsafe(options.artifactMib * 1024 * 1024));
    const repetitions = options.quick ? 1 : 5;
    const [up, down]: [number[], number[]] = [[], []];
    const path = (index: number): string => `${root}/large/${String(index)}/blob.bin`;
    await download(api, path(0), await uploaded(api, path(0), content));
    for (let i = 1; i <= repetitions; i++)
      up.push(content.length / 1e6 / (await upload(api, path(i), content)));
    for (let i = 1; i <= repetitions; i++)
      down.push(content.length / 1e6 / (await download(api, path(i), content)));
    // By itself, since reading the memory of a process takes time from it.
    const growth = await growthMib(server.pid, async () => {
      await upload(api, path(0), content);
      await download(api, path(0), content);
    });
    for (let i = 0; i <= repetitions; i++) await api.timed(httpRequest("DELETE", path(i), "{}"));
    const detail = (all: readonly number[]): string =>
      `${all.map((rate) => rate.toFixed(0)).join(", ")} MB/s (10^6 bytes)`;
    const at = sizeNote(options.artifactMib, 256, "MiB");
    return {
      "artifact-large.up": { value: median(up), detail: `${detail(up)}; ${target.artifactDurability}`, at },
      "artifact-large.down": { value: median(down), detail: detail(down), at },
      "artifact-large.growth": {
        value: growth,
        detail: "highest PSS of the process tree, sampled every 25 ms",
      },
    };
  },
};

async function uploaded(api: Api, path: string, content: Buffer): Promise<Buffer> {
  await upload(api, path, content);
  return content;
}

const fileCount = 500;
const fileBytes = 4096;
const connections = 4;

export const artifactFiles: Workload = {
  name: "artifact-files",
  figures: [
    {
      id: "artifact-files.up",
      title: "500 files of 4 KB up, 4 connections",
      unit: "files/s",
      better: "higher",
      goals: [{ bound: "at least", value: 2_500, synced: true }],
    },
    {
      id: "artifact-files.down",
      title: "500 files of 4 KB down, 4 connections",
      unit: "files/s",
      better: "higher",
      goals: [{ bound: "at least", value: 4_000 }],
    },
  ],
  async run({ server, options, target }) {
    const content = randomFillSync(Buffer.allocUnsafe(fileCount * fileBytes));
    const part = (index: number): Buffer => content.subarray(index * fileBytes, (index + 1) * fileBytes);
    const repetitions = options.quick ? 2 : 6;
    const rates: [number[], number[]] = [[], []];
    const wrong: { errors: number; firstError?: string }[] = [{ errors: 0 }, { errors: 0 }];
    for (const [direction, method] of (["PUT", "GET"] as const).entries()) {
      for (let repetition = 0; repetition < repetitions; repetition++) {
        const requests = Array.from({ length: fileCount }, (_, i) => {
          const path = `${root}/files-${String(repetition)}/file-${String(i)}.bin`;
          return method === "PUT" ? httpRequest("PUT", path, part(i), contentType) : httpRequest("GET", path);
        });
        let next = 0;
        const current: number[] = [];
        const result = await drive({
          port: server.port,
          connections,
          next: (connection) => {
            current[connection] = next;
            return requests[next++];
          },
          check: ({ status, body }, connection) => {
            if (status !== 200)
              return `${method} answered ${String(status)}: ${body.toString().slice(0, 200)}`;
            if (method === "PUT" || body.equals(part(current[connection] ?? 0))) return undefined;
            return `File ${String(current[connection])} came back with another content.`;
          },
        });
        const tally = wrong[direction] ?? { errors: 0 };
        tally.errors += result.errors;
        tally.firstError ??= result.firstError;
        // The first repetition warms up.
        if (repetition > 0) rates[direction]?.push(result.requests / result.seconds);
      }
    }
    const detail = (all: readonly number[]): string => all.map((rate) => rate.toFixed(0)).join(", ");
    const [up, down] = rates;
    return {
      "artifact-files.up": {
        value: median(up),
        detail: `${detail(up)}; ${target.artifactDurability}`,
        ...wrong[0],
      },
      "artifact-files.down": { value: median(down), detail: detail(down), ...wrong[1] },
    };
  },
};
