import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { metricValue } from "../data/population.ts";
import { treeCpuSeconds } from "../measure/process-tree.ts";
import { median } from "../measure/quantiles.ts";
import type { Session, Workload } from "../session.ts";
import { inheritedEnvironment } from "../targets/millrace.ts";
import { historyLength } from "./history.ts";
import { sizeNote } from "./summary.ts";

const run = promisify(execFile);

/** Runs a script of `bench/clients` in the environment of the official client; gives the JSON it printed. */
async function runScript(session: Session, name: string, args: readonly string[]): Promise<unknown> {
  const script = fileURLToPath(new URL(`../clients/${name}`, import.meta.url));
  const address = `http://127.0.0.1:${String(session.server.port)}`;
  const { stdout } = await run(session.python ?? "python3", [script, address, ...args], {
    env: {
      ...inheritedEnvironment(),
      MLFLOW_DISABLE_TELEMETRY: "true",
      DO_NOT_TRACK: "1",
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: "0",
      MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: "true",
    },
    cwd: session.server.folder,
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: unknown) => {
    const lines = error instanceof Error ? error.message.trim().split("\n") : [String(error)];
    throw new Error(`${name} failed: ${lines.at(-1)?.slice(0, 400) ?? ""}`, { cause: error });
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as unknown;
}

const needsClient = (session: Session): string | undefined =>
  session.python === undefined ? "the official Python client is not installed: --mlflow PATH" : undefined;

export const pythonRun: Workload = {
  name: "python-run",
  figures: [
    {
      id: "python-run.together",
      title: "official Python client: run with 10 params, 100 metrics one by one, a dict",
      unit: "s",
      better: "lower",
      goals: [{ bound: "at most", value: 0.33 }],
    },
    { id: "python-run.singly", title: "the same, params one by one too", unit: "s", better: "lower" },
  ],
  unavailable: needsClient,
  async run(session) {
    const repetitions = session.options.quick ? 1 : 7;
    const result = (await runScript(session, "small_run.py", [String(repetitions)])) as Record<
      "together" | "singly",
      { readonly seconds: number[]; readonly run_id: string }
    >;
    for (const { run_id: runId } of Object.values(result)) {
      const stored = await historyLength(session.api, runId, "loss");
      if (stored !== 100) throw new Error(`Run ${runId} has ${String(stored)} points, not 100.`);
      const { run } = (await session.api.get("runs/get", { run_id: runId })) as {
        run: { info: { status: string }; data: { params: unknown[] } };
      };
      if (run.info.status !== "FINISHED" || run.data.params.length !== 10)
        throw new Error(`Run ${runId} is ${run.info.status} with ${String(run.data.params.length)} params.`);
      const listed = await session.api.get("artifacts/list", { run_id: runId });
      const path = (listed as { files?: { path: string }[] }).files?.[0]?.path;
      if (path !== "config.json")
        throw new Error(`Run ${runId} lists ${String(path)} instead of config.json.`);
    }
    const measurement = (seconds: number[]): { value: number; detail: string } => ({
      value: median(seconds),
      detail: seconds.map((value) => value.toFixed(3)).join(", "),
    });
    return {
      "python-run.together": measurement(result.together.seconds),
      "python-run.singly": measurement(result.singly.seconds),
    };
  },
};

export const pythonFrame: Workload = {
  name: "python-frame",
  figures: [
    {
      id: "python-frame.share",
      title: "mlflow.search_runs over 100,000 runs into a frame: server's CPU time of the client's time",
      unit: "%",
      better: "lower",
      goals: [{ bound: "at most", value: 10 }],
    },
    { id: "python-frame.seconds", title: "the same, the client's time", unit: "s", better: "lower" },
  ],
  unavailable: needsClient,
  async run(session) {
    const wanted = session.sizes.largeRuns === 0 ? session.sizes.runs : session.sizes.largeRuns;
    const population = await session.population(wanted);
    const cpuBefore = treeCpuSeconds(session.server.pid);
    const args = [population.experimentId, String(population.count)];
    const frame = (await runScript(session, "search_frame.py", args)) as {
      readonly seconds: number;
      readonly rows: number;
      readonly columns: number;
      readonly sum: number;
    };
    const serverSeconds = treeCpuSeconds(session.server.pid) - cpuBefore;
    let sum = 0;
    for (let index = 0; index < population.count; index++) sum += metricValue(index, 0);
    if (frame.rows !== population.count || Math.abs(frame.sum - sum) > 1e-6 * sum)
      throw new Error(
        `The frame has ${String(frame.rows)} rows and m0 adds up to ${String(frame.sum)}, not ${String(sum)}.`,
      );
    const detail = `server ${serverSeconds.toFixed(2)} s CPU, client ${frame.seconds.toFixed(2)} s, ${String(frame.rows)} rows × ${String(frame.columns)} columns`;
    const at = sizeNote(frame.rows, 100_000, "runs");
    return {
      "python-frame.share": { value: (serverSeconds / frame.seconds) * 100, detail, at },
      "python-frame.seconds": { value: frame.seconds, detail, at },
    };
  },
};
