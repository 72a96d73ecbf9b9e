/**
 * Paths that try to leave the artifact root, on every route that takes one. A canary lies outside of the root:
 * nobody may read, change, list or remove it, and nothing may appear beside it.
 *
 * A server that has such a hole does what these requests ask. So every link and every climb ends in a temporary
 * folder, never at a file of the machine.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../server.ts";
import { type FuzzRequest, Wire } from "./fuzz/wire.ts";
import { CLIMB_MAX, climbingPaths, up } from "./traversal-paths.ts";

const SECRET = "canary-5b1f0c2d-never-to-be-sent";

let server: RunningServer;
let temporary: string;
/** So deep in `temporary` that no climb leaves that. */
let directory: string;
let wire: Wire;
let runId: string;
let experimentId: string;
let modelId: string;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** `target` is sent as it is: no client tidies it up. */
async function send(method: string, target: string, body?: string): Promise<Answer> {
  const isRaw = target.includes("/mlflow-artifacts/artifacts/") || target.includes("upload-artifact");
  const type: [string, string][] = body === undefined || isRaw ? [] : [["Content-Type", "application/json"]];
  const request: FuzzRequest = {
    method,
    target,
    headers: [["Host", "127.0.0.1"], ...type],
    body: body === undefined ? undefined : Buffer.from(body),
    framing: "length",
    malformed: false,
  };
  const { answers } = await wire.send(request);
  const [answer] = answers;
  if (answer === undefined) throw new Error(`${method} ${target}: no answer`);
  return { status: answer.status, text: answer.body.toString("utf8") };
}

async function call(method: string, route: string, body: object): Promise<Record<string, never>> {
  const { status, text } = await send(method, `/api/2.0/mlflow/${route}`, JSON.stringify(body));
  if (status !== 200) throw new Error(`${route}: ${status} ${text}`);
  return JSON.parse(text) as Record<string, never>;
}

/** Everything outside of the root, with contents, and what lies at the top of the root. */
async function outside(): Promise<string[]> {
  const names = (await readdir(path.join(directory, "outside"), { recursive: true })).toSorted();
  const files = await Promise.all(
    names.map(async (name) => {
      const content = await readFile(path.join(directory, "outside", name), "utf8").catch(() => "(folder)");
      return `${name}: ${content}`;
    }),
  );
  // The database's own files come and go.
  const top = (await readdir(directory)).filter((name) => !/^(store\.db|server\.log)/.test(name)).toSorted();
  const far = await readFile(path.join(temporary, "canary.txt"), "utf8").catch(() => "(gone)");
  return [
    ...files,
    ...top.map((name) => `top: ${name}`),
    `far: ${far}`,
    ...(await readdir(temporary)).toSorted(),
  ];
}

/** What a client would send in a query or a body: not encoded a second time by us. */
const inQuery = (text: string): string => encodeURIComponent(text);
/** In a path only what would break the request line is encoded. */
const inPath = (text: string): string =>
  text.replace(/[\s\\]/g, (character) => encodeURIComponent(character));

beforeAll(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), "millrace-traversal-"));
  directory = path.join(temporary, ...Array.from({ length: CLIMB_MAX + 1 }, () => "d"));
  await mkdir(directory, { recursive: true });
  server = await startServer({ directory });
  wire = new Wire(Number(new URL(server.url).port));

  const create = async <T>(route: string, body: object): Promise<T> => (await call("POST", route, body)) as T;
  ({ experiment_id: experimentId } = await create<{ experiment_id: string }>("experiments/create", {
    name: "t",
  }));
  const { run } = await create<{ run: { info: { run_id: string } } }>("runs/create", {
    experiment_id: experimentId,
  });
  runId = run.info.run_id;
  const { model } = await create<{ model: { info: { model_id: string } } }>("logged-models", {
    experiment_id: experimentId,
    source_run_id: runId,
  });
  modelId = model.info.model_id;
  await create("registered-models/create", { name: "m" });
  await create("model-versions/create", {
    name: "m",
    source: `mlflow-artifacts:/${experimentId}/${runId}/artifacts`,
    run_id: runId,
  });
});

/** Anew for each test: to write over a link or to remove it is allowed, and takes the link away. */
beforeEach(async () => {
  const root = path.join(directory, "artifacts");
  await rm(path.join(directory, "outside"), { recursive: true, force: true });
  await writeFile(path.join(temporary, "canary.txt"), SECRET);
  await mkdir(path.join(directory, "outside", "folder"), { recursive: true });
  await writeFile(path.join(directory, "outside", "canary.txt"), SECRET);
  await writeFile(path.join(directory, "outside", "folder", "deep.txt"), SECRET);
  const folders = [
    `${experimentId}/${runId}/artifacts`,
    `${experimentId}/models/${modelId}/artifacts`,
    "top",
  ];
  for (const folder of folders) {
    await rm(path.join(root, folder), { recursive: true, force: true });
    const stored = await send("PUT", `${proxy}/artifacts/${folder}/folder/data.txt`, "inside");
    expect(stored.status).toBe(200);
    const real = path.join(root, folder);
    await symlink(path.join(directory, "outside"), path.join(real, "link-folder"));
    await symlink(path.join(directory, "outside", "canary.txt"), path.join(real, "link-file"));
    await symlink(`${up(folder.split("/").length + 1)}outside`, path.join(real, "link-relative"));
    await symlink(temporary, path.join(real, "link-far"));
    await symlink(path.join(real, "link-loop"), path.join(real, "link-loop"));
    await symlink(path.join(directory, "outside"), path.join(real, "folder", "link-folder"));
    await symlink(path.join(directory, "outside", "made"), path.join(real, "dangling"));
  }
});

afterAll(async () => {
  wire?.close();
  await server?.stop();
  if (temporary) await rm(temporary, { recursive: true, force: true });
});

/** Name, and the requests that one path makes. */
type Route = readonly [
  name: string,
  requests: (bad: string) => readonly [method: string, target: string, body?: string][],
];

const proxy = "/api/2.0/mlflow-artifacts";
const routes: readonly Route[] = [
  [
    "proxy GET",
    (bad) =>
      [
        `${proxy}/artifacts/`,
        `${proxy}/artifacts/top/`,
        `${proxy}/artifacts/${experimentId}/${runId}/artifacts/`,
      ].map((base) => ["GET", base + inPath(bad)]),
  ],
  ["proxy GET, encoded once more", (bad) => [["GET", `${proxy}/artifacts/top/${inQuery(bad)}`]]],
  ["proxy HEAD", (bad) => [["HEAD", `${proxy}/artifacts/top/${inPath(bad)}`]]],
  [
    "proxy PUT",
    (bad) =>
      [`${proxy}/artifacts/`, `${proxy}/artifacts/top/`].map((base) => [
        "PUT",
        base + inPath(bad),
        "overwritten",
      ]),
  ],
  [
    "proxy PUT of a new name",
    (bad) => [["PUT", `${proxy}/artifacts/top/${inPath(bad.replace("canary", "new"))}`, "made"]],
  ],
  [
    "proxy DELETE",
    (bad) =>
      [`${proxy}/artifacts/`, `/ajax-api/2.0/mlflow-artifacts/artifacts/top/`].map((base) => [
        "DELETE",
        base + inPath(bad),
      ]),
  ],
  [
    "proxy list",
    (bad) => [
      ["GET", `${proxy}/artifacts?path=${inQuery(bad)}`],
      ["GET", `${proxy}/artifacts?path=top/${inQuery(bad)}`],
      ["GET", `${proxy}/artifacts?path=${bad.replace(/[\s&#+]/g, inQuery)}`],
    ],
  ],
  ["presigned", (bad) => [["GET", `${proxy}/presigned/${inPath(bad)}`]]],
  [
    "mpu create",
    (bad) => [
      ["POST", `${proxy}/mpu/create/${inPath(bad)}`, JSON.stringify({ path: "x", num_parts: 1 })],
      ["POST", `${proxy}/mpu/create/top`, JSON.stringify({ path: bad, num_parts: 1 })],
    ],
  ],
  [
    "mpu complete and abort",
    (bad) =>
      ["complete", "abort"].flatMap((verb): [string, string, string][] => [
        [
          "POST",
          `${proxy}/mpu/${verb}/${inPath(bad)}`,
          JSON.stringify({ path: bad, upload_id: "u", parts: [{ part_number: 1, etag: "e" }] }),
        ],
        [
          "POST",
          `${proxy}/mpu/${verb}/top/x`,
          JSON.stringify({ path: "x", upload_id: bad, parts: [{ part_number: 1, etag: "e" }] }),
        ],
      ]),
  ],
  [
    "part upload",
    (bad) => [
      ["PUT", `/api/1.0/millrace/artifact-parts/${inQuery(bad)}/1?path=x&signature=s`, "part"],
      ["PUT", `/api/1.0/millrace/artifact-parts/u/1?path=${inQuery(bad)}&signature=s`, "part"],
    ],
  ],
  [
    "get-artifact",
    (bad) => [
      ["GET", `/get-artifact?run_id=${runId}&path=${inQuery(bad)}`],
      ["GET", `/get-artifact?run_uuid=${runId}&path=${bad.replace(/[\s&#+]/g, inQuery)}`],
    ],
  ],
  [
    "get-artifact of a run id that is a path",
    (bad) => [["GET", `/get-artifact?run_id=${inQuery(bad)}&path=folder`]],
  ],
  [
    "upload-artifact",
    (bad) => [
      ["POST", `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=${runId}&path=${inQuery(bad)}`, "overwritten"],
    ],
  ],
  [
    "artifacts/list",
    (bad) => [["GET", `/api/2.0/mlflow/artifacts/list?run_id=${runId}&path=${inQuery(bad)}`]],
  ],
  [
    "presigned-upload-url",
    (bad) => [
      [
        "POST",
        "/api/2.0/mlflow/artifacts/presigned-upload-url",
        JSON.stringify({ run_id: runId, path: bad }),
      ],
    ],
  ],
  [
    "presigned-download-url",
    (bad) => [
      [
        "POST",
        "/api/2.0/mlflow/artifacts/presigned-download-url",
        JSON.stringify({ run_id: runId, path: bad }),
      ],
    ],
  ],
  [
    "logged-model list",
    (bad) => [
      [
        "GET",
        `/api/2.0/mlflow/logged-models/${modelId}/artifacts/directories?artifact_directory_path=${inQuery(bad)}`,
      ],
    ],
  ],
  [
    "logged-model file",
    (bad) => [
      [
        "GET",
        `/ajax-api/2.0/mlflow/logged-models/${modelId}/artifacts/files?artifact_file_path=${inQuery(bad)}`,
      ],
    ],
  ],
  [
    "model-versions/get-artifact",
    (bad) => [["GET", `/model-versions/get-artifact?name=m&version=1&path=${inQuery(bad)}`]],
  ],
];

function names(text: string): boolean {
  return text.includes("canary.txt") && text.includes('"files"');
}

describe("a path that leads out of the artifact root", () => {
  test.each(routes)("%s", async (_name, requests) => {
    const before = await outside();
    const wrong: string[] = [];
    let refused = 0;
    for (const bad of climbingPaths(directory)) {
      for (const [method, target, body] of requests(bad)) {
        const { status, text } = await send(method, target, body);
        if (text.includes(SECRET)) wrong.push(`${method} ${target} ${body ?? ""}: the file was sent`);
        // An error may repeat the path that was asked for; a list may not hold the canary.
        if (status === 200 && names(text)) wrong.push(`${method} ${target}: listed: ${text}`);
        if (status >= 500 && status !== 501)
          wrong.push(`${method} ${target} ${body ?? ""}: ${status} ${text}`);
        if (status >= 400) refused++;
      }
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(0);
    expect(await outside()).toEqual(before);
  });

  test("as artifact_location of an experiment", async () => {
    const before = await outside();
    const wrong: string[] = [];
    let number = 0;
    for (const bad of [
      ...climbingPaths(directory),
      path.join(directory, "outside"),
      `file://${directory}/outside`,
      `mlflow-artifacts:/../outside`,
      "mlflow-artifacts:/%2e%2e/outside",
      `mlflow-artifacts:/a/../../outside`,
      `mlflow-artifacts:/top/link-folder`,
      "outside",
      "./outside",
      "../outside",
    ]) {
      for (const location of [bad, `mlflow-artifacts:/${bad}`]) {
        const made = await send(
          "POST",
          "/api/2.0/mlflow/experiments/create",
          JSON.stringify({ name: `located-${number++}`, artifact_location: location }),
        );
        if (made.status >= 500) wrong.push(`${location}: ${made.status} ${made.text}`);
        if (made.status !== 200) continue;
        const { experiment_id: id } = JSON.parse(made.text) as { experiment_id: string };
        const created = await send(
          "POST",
          "/api/2.0/mlflow/runs/create",
          JSON.stringify({ experiment_id: id }),
        );
        if (created.status !== 200) continue;
        const { run } = JSON.parse(created.text) as { run: { info: { run_id: string } } };
        const climb = "../../";
        for (const [method, target, body] of [
          ["GET", `/get-artifact?run_id=${run.info.run_id}&path=canary.txt`],
          ["GET", `/get-artifact?run_id=${run.info.run_id}&path=${inQuery(`${climb}canary.txt`)}`],
          ["GET", `/api/2.0/mlflow/artifacts/list?run_id=${run.info.run_id}`],
          [
            "POST",
            `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=${run.info.run_id}&path=planted.txt`,
            "planted",
          ],
        ] as const) {
          const { status, text } = await send(method, target, body);
          if (text.includes(SECRET)) wrong.push(`${location}: ${target}: the file was sent`);
          if (status === 200 && names(text)) wrong.push(`${location}: ${target}: listed`);
          if (status >= 500 && status !== 501)
            wrong.push(`${location}: ${method} ${target}: ${status} ${text}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(await outside()).toEqual(before);
  });

  test("as source of a model version", async () => {
    const before = await outside();
    const wrong: string[] = [];
    for (const bad of [
      ...climbingPaths(directory),
      path.join(directory, "outside"),
      `file://${directory}/outside`,
    ]) {
      for (const source of [
        bad,
        `mlflow-artifacts:/${experimentId}/${runId}/artifacts/${bad}`,
        `runs:/${runId}/${bad}`,
        `models:/${bad}`,
        `file:${bad}`,
      ]) {
        for (const owner of [{}, { run_id: runId }, { model_id: modelId }]) {
          const body = JSON.stringify({ name: "m", source, ...owner });
          const made = await send("POST", "/api/2.0/mlflow/model-versions/create", body);
          if (made.status >= 500) wrong.push(`${body}: ${made.status} ${made.text}`);
          if (made.status !== 200) continue;
          const { model_version: version } = JSON.parse(made.text) as { model_version: { version: string } };
          for (const file of ["canary.txt", "", "folder/deep.txt"]) {
            const target = `/model-versions/get-artifact?name=m&version=${version.version}&path=${inQuery(file)}`;
            const { status, text } = await send("GET", target);
            if (text.includes(SECRET)) wrong.push(`${source}: ${target}: the file was sent`);
            if (status >= 500) wrong.push(`${source}: ${target}: ${status} ${text}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(await outside()).toEqual(before);
  });
});
