import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { type RunningServer, startServer } from "../server.ts";
import { canMount } from "./kill-loop.ts";

let server: RunningServer | undefined;
let mounted: string | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
  if (mounted !== undefined) {
    execFileSync("umount", [mounted]);
    await rm(mounted, { recursive: true });
    mounted = undefined;
  }
});

async function post(
  route: string,
  body: object,
): Promise<{
  status: number;
  body: { error_code?: string; message?: string; run?: { info: { run_id: string } } };
}> {
  const response = await fetch(`${server!.url}/api/2.0/mlflow/${route}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as { error_code?: string } };
}

test.skipIf(!canMount())(
  "a full disk gives 503, loses nothing acknowledged, and the server goes on by itself (needs the right to mount)",
  async () => {
    mounted = await mkdtemp(path.join(tmpdir(), "millrace-full-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", mounted]);
    server = await startServer({
      args: [
        `--backend-store-uri=sqlite:///${mounted}/store.db`,
        `--artifacts-destination=${mounted}/artifacts`,
      ],
    });
    const created = await post("runs/create", { experiment_id: "0", run_name: "full" });
    const runId = created.body.run!.info.run_id;
    const filler = path.join(mounted, "filler");

    const acknowledged: number[] = [];
    let refused: { status: number; body: { error_code?: string; message?: string } } | undefined;
    await writeFile(filler, Buffer.alloc(10 * 1024 * 1024));
    for (let step = 0; step < 20_000 && refused === undefined; step++) {
      const answer = await post("runs/log-batch", {
        run_id: runId,
        metrics: [{ key: "m", value: step / 3, timestamp: step, step }],
        tags: [{ key: `t${step}`, value: "x".repeat(7_000) }],
      });
      if (answer.status === 200) acknowledged.push(step);
      else refused = answer;
    }
    expect(refused).toMatchObject({ status: 503, body: { error_code: "TEMPORARILY_UNAVAILABLE" } });
    expect(refused!.body.message).toContain("full");

    await rm(filler);
    const after = await post("runs/log-metric", {
      run_id: runId,
      key: "m",
      value: 1,
      timestamp: 1,
      step: 1_000_000,
    });
    expect(after.status).toBe(200);
    const history = await fetch(
      `${server.url}/api/2.0/mlflow/metrics/get-history?run_id=${runId}&metric_key=m`,
    );
    const { metrics } = (await history.json()) as { metrics: { step: number }[] };
    expect(metrics.map(({ step }) => step).toSorted((a, b) => a - b)).toEqual([...acknowledged, 1_000_000]);
  },
);
