import { parseArgs } from "node:util";
import { compiledEntry } from "./targets/millrace.ts";

export interface Options {
  readonly only: readonly string[];
  readonly targets: readonly string[];
  readonly mlflow: string;
  /** Millrace's entry; figures count for the compiled one. */
  readonly millrace: string;
  /** Duration of one timed workload, all repetitions together. */
  readonly seconds: number;
  readonly soakSeconds: number;
  readonly sustainedSeconds: number;
  readonly repetitions: number;
  readonly runs: number;
  readonly largeRuns: number;
  /** MLflow's population: seeding it takes MLflow minutes. */
  readonly mlflowRuns: number;
  readonly mlflowLargeRuns: number;
  /** Share of the points of a storage or history workload that MLflow gets. */
  readonly mlflowScale: number;
  readonly historyPoints: number;
  readonly storageRuns: number;
  readonly artifactMib: number;
  readonly port: number;
  readonly folder: string | undefined;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  readonly quick: boolean;
  /** Leave databases and server logs behind. */
  readonly keep: boolean;
}

export const usage = `npm run bench -- [options]

Runs named workloads against Millrace and, side by side, MLflow from PyPI; prints values, targets and ratios.
Exits with 1 when an answer was wrong or a workload failed; a missed target is printed, not an error.

  --only NAME,NAME      workloads whose name or family is listed
  --target NAME,NAME    millrace, mlflow (both set-ups), mlflow-1, mlflow-default   (millrace,mlflow)
  --mlflow PATH         the mlflow command   (acceptance/.environments/client-3.17/bin/mlflow)
  --millrace PATH       Millrace's entry, .js or .ts   (packages/platform/dist/main.js)
  --seconds N           length of a timed workload   (12)
  --soak-seconds N      length of the mixed soak   (20)
  --sustained-seconds N length of the sustained batches   (60)
  --repetitions N       repetitions of a timed workload   (3)
  --runs N              runs of the searched experiment   (20000)
  --large-runs N        the same, large   (100000)
  --mlflow-runs N       runs of the searched experiment for MLflow   (5000)
  --mlflow-large-runs N the large ones for MLflow; 0 leaves them out   (0)
  --mlflow-scale X      share of the storage and history points for MLflow   (0.2)
  --port N              first port to use; without it the system chooses
  --folder PATH         where databases go   (a new folder in the system's temporary folder)
  --json FILE           figures for programs
  --markdown FILE       a dated table
  --keep                leave databases and server logs in the folder and say where
  --quick               tiny sizes, Millrace only: checks every answer in under a minute
  --list                names of the workloads`;

/** Reads the command line; throws on an unknown option or a number that is none. */
export function parseOptions(args: readonly string[]): Options | "help" | "list" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: text,
      target: text,
      mlflow: text,
      millrace: text,
      seconds: text,
      "soak-seconds": text,
      "sustained-seconds": text,
      repetitions: text,
      runs: text,
      "large-runs": text,
      "mlflow-runs": text,
      "mlflow-large-runs": text,
      "mlflow-scale": text,
      port: text,
      folder: text,
      json: text,
      markdown: text,
      quick: flag,
      keep: flag,
      list: flag,
      help: flag,
    },
  });
  if (values.help === true) return "help";
  if (values.list === true) return "list";
  const quick = values.quick ?? false;
  const number = (name: string, given: string | undefined, full: number, small = full): number => {
    const value = given === undefined ? (quick ? small : full) : Number(given);
    if (!Number.isFinite(value) || value < 0)
      throw new Error(`--${name} needs a number, not ${String(given)}.`);
    return value;
  };
  const list = (given: string | undefined): string[] =>
    given === undefined ? [] : given.split(",").filter(Boolean);
  const targets = list(values.target);
  return {
    only: list(values.only),
    targets: targets.length > 0 ? targets : quick ? ["millrace"] : ["millrace", "mlflow"],
    millrace: values.millrace ?? compiledEntry,
    mlflow: values.mlflow ?? "acceptance/.environments/client-3.17/bin/mlflow",
    seconds: number("seconds", values.seconds, 12, 0.6),
    soakSeconds: number("soak-seconds", values["soak-seconds"], 20, 1),
    sustainedSeconds: number("sustained-seconds", values["sustained-seconds"], 60, 1),
    repetitions: Math.max(1, number("repetitions", values.repetitions, 3, 1)),
    runs: number("runs", values.runs, 20_000, 600),
    largeRuns: number("large-runs", values["large-runs"], 100_000, 1_200),
    mlflowRuns: number("mlflow-runs", values["mlflow-runs"], 5_000, 300),
    mlflowLargeRuns: number("mlflow-large-runs", values["mlflow-large-runs"], 0),
    mlflowScale: number("mlflow-scale", values["mlflow-scale"], 0.2, 0.5),
    historyPoints: quick ? 4_000 : 50_000,
    storageRuns: quick ? 2 : 100,
    artifactMib: quick ? 16 : 256,
    port: number("port", values.port, 0),
    folder: values.folder,
    json: values.json,
    markdown: values.markdown,
    quick,
    keep: values.keep ?? false,
  };
}
