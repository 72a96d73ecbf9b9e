import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../server.ts";
import { base, proxy, send } from "./call.ts";

async function call<T>(
  server: RunningServer,
  method: "GET" | "POST",
  address: string,
  body?: object,
): Promise<T> {
  const raw =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const answer = await send({ method, path: base + address, ...raw }, server.url);
  expect(answer, answer.text).toMatchObject({ status: 200 });
  return answer.body as T;
}

// A server that was running already is not ours to end.
describe.skipIf(process.env["MILLRACE_TARGET"]?.startsWith("http"))("a server that is started again", () => {
  it("has everything it confirmed, after SIGKILL and after SIGTERM", { timeout: 300_000 }, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "millrace-restart-"));
    let server = await startServer({ directory });
    try {
      const created = await call<{ experiment_id: string }>(server, "POST", "experiments/create", {
        name: "kept",
      });
      const { experiment_id } = created;
      const { run } = await call<{ run: { info: { run_id: string } } }>(server, "POST", "runs/create", {
        experiment_id,
      });
      const { run_id } = run.info;
      const artifact = `${proxy}/${experiment_id}/${run_id}/artifacts/a.txt`;
      const metrics = (step: number) => [{ key: "m", value: step / 4, timestamp: step, step }];
      for (const [step, signal] of (["SIGKILL", "SIGTERM"] as const).entries()) {
        await call(server, "POST", "runs/log-batch", { run_id, metrics: metrics(step) });
        await send({ method: "PUT", path: artifact, body: `text ${step}` }, server.url);
        await server.stop(signal);
        server = await startServer({ directory });
        const query = `run_id=${run_id}&metric_key=m`;
        expect(await call(server, "GET", `metrics/get-history?${query}`)).toEqual({
          metrics: [0, 1].slice(0, step + 1).flatMap(metrics),
        });
        expect((await send({ method: "GET", path: artifact }, server.url)).text).toBe(`text ${step}`);
      }
      expect(await call(server, "GET", `experiments/get-by-name?experiment_name=kept`)).toMatchObject({
        experiment: { experiment_id, lifecycle_stage: "active" },
      });
    } finally {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
