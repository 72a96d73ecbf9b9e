/**
 * Sends mutated requests to a live server over raw sockets and judges every answer. Request number n of a seed is
 * always the same, but for the ids that the server gave out; `MILLRACE_FUZZ_SEED` repeats a run.
 *
 * `node --conditions=millrace-source acceptance/reliability/fuzz.ts 20000 [seed]` runs it by itself, with
 * `MILLRACE_FUZZ_ONLY='^log'` for the endpoints whose name matches only.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type RunningServer, startServer } from "../server.ts";
import { problems } from "./fuzz/judge.ts";
import { asCommand, minimise } from "./fuzz/minimise.ts";
import { mutate } from "./fuzz/mutate.ts";
import { Random } from "./fuzz/random.ts";
import { seeds } from "./fuzz/seeds.ts";
import { type FuzzRequest, type Outcome, Wire } from "./fuzz/wire.ts";
import { createWorld, fromPlaceholders, toPlaceholders, type World } from "./fuzz/world.ts";

const CONNECTIONS = 8;
/** Mutated requests delete what others need, so there is a new world every so often. */
const REQUESTS_PER_WORLD = 1_000;
/** Slower than this is looked at again, alone. */
const SLOW_MS = 1_000;
/** After so many different failures there is nothing more to learn from the run. */
const FAILURES_MAX = 25;

export interface FuzzFailure {
  readonly number: number;
  readonly endpoint: string;
  readonly problems: readonly string[];
  /** The end of the answer's body. */
  readonly answer: string;
  readonly command: string;
}

export interface FuzzResult {
  readonly seed: number;
  readonly requests: number;
  readonly seconds: number;
  /** How often each status came; 0 is a connection that was closed over malformed bytes. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly failures: readonly FuzzFailure[];
  /** Steps that should have made something to ask for. */
  readonly refused: readonly string[];
  readonly slowest: { readonly ms: number; readonly command: string };
  /** Above one second under load; how many of them were so alone, too, is in `failures`. */
  readonly slowUnderLoad: number;
  readonly samePid: boolean;
  readonly healthy: boolean;
  /** The end of the server's log, if it did not survive. */
  readonly lastWords: string;
}

interface Saved {
  readonly note: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  /** latin1 */
  readonly body?: string;
  readonly framing: FuzzRequest["framing"];
  readonly head?: string;
  readonly malformed: boolean;
}

const regressionFile = path.join(import.meta.dirname, "fuzz-regressions.json");

/** Requests that failed once. */
export function loadRegressions(): readonly Saved[] {
  return JSON.parse(readFileSync(regressionFile, "utf8")) as Saved[];
}

function fromSaved(saved: Saved, world: World): FuzzRequest {
  const text = (value: string): string => fromPlaceholders(value, world);
  const { method, framing, malformed, body, head } = saved;
  return {
    method,
    framing,
    malformed,
    target: text(saved.target),
    headers: saved.headers.map(([name, value]) => [name, text(value)]),
    body: body === undefined ? undefined : Buffer.from(text(body), "latin1"),
    ...(head !== undefined && { head: text(head) }),
  };
}

const SAVED_BODY_BYTES_MAX = 20_000;

function save(request: FuzzRequest, note: string, world: World): void {
  if ((request.body?.length ?? 0) > SAVED_BODY_BYTES_MAX) return;
  const { method, framing, malformed, body, head } = request;
  const text = (value: string): string => toPlaceholders(value, world);
  const saved: Saved = {
    note,
    method,
    framing,
    malformed,
    target: text(request.target),
    headers: request.headers.map(([name, value]) => [name, text(value)]),
    ...(body !== undefined && { body: text(body.toString("latin1")) }),
    ...(head !== undefined && { head: text(head) }),
  };
  const all = loadRegressions();
  const isKnown = all.some(
    ({ note: _note, ...other }) => JSON.stringify(other) === JSON.stringify(withoutNote(saved)),
  );
  if (!isKnown) writeFileSync(regressionFile, `${JSON.stringify([...all, saved], null, 2)}\n`);
}

function withoutNote({ note: _note, ...rest }: Saved): Omit<Saved, "note"> {
  return rest;
}

/** Which process a pid is: the kernel's start time, so that a new process with an old number is told apart. */
function startTimeOf(pid: number): string {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "gone";
  }
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!;
}

export interface FuzzOptions {
  readonly requests: number;
  readonly seed: number;
  /** Only endpoints whose name matches. */
  readonly only?: RegExp | undefined;
  /** Send the saved requests instead. */
  readonly regressionsOnly?: boolean;
  readonly onProgress?: (done: number) => void;
}

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  // Webhooks may point at a closed port of this machine: nothing of this leaves it.
  const server = await startServer({ env: { MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: "true" } });
  try {
    return await new Campaign(server, options).run();
  } finally {
    await server.stop();
  }
}

class Campaign {
  readonly #server: RunningServer;
  readonly #options: FuzzOptions;
  readonly #statuses: Record<number, number> = {};
  readonly #failures: FuzzFailure[] = [];
  readonly #seen = new Set<string>();
  readonly #refused: string[] = [];
  readonly #slow: {
    readonly request: FuzzRequest;
    readonly ms: number;
    readonly number: number;
    readonly endpoint: string;
  }[] = [];
  #slowest = { ms: 0, command: "" };
  #world!: World;
  #worlds = 0;

  constructor(server: RunningServer, options: FuzzOptions) {
    this.#server = server;
    this.#options = options;
  }

  async run(): Promise<FuzzResult> {
    const { requests, seed, regressionsOnly = false } = this.#options;
    const { url, pid } = this.#server;
    const started = pid === 0 ? "" : startTimeOf(pid);
    const startMs = performance.now();
    let done = 0;
    if (regressionsOnly) done = await this.#sendRegressions();
    else {
      while (done < requests && this.#failures.length < FAILURES_MAX) {
        const until = Math.min(requests, done + REQUESTS_PER_WORLD);
        await this.#round(done, until, seed);
        done = until;
        this.#options.onProgress?.(done);
      }
    }
    const seconds = (performance.now() - startMs) / 1_000;
    await this.#repeatSlow();
    const health = await fetch(`${url}/health`).catch(() => undefined);
    const samePid = pid === 0 || startTimeOf(pid) === started;
    return {
      seed,
      requests: done,
      seconds,
      statuses: this.#statuses,
      failures: this.#failures,
      refused: this.#refused,
      slowest: this.#slowest,
      slowUnderLoad: this.#slow.length,
      samePid,
      healthy: health?.status === 200 && (await health.text()) === "OK",
      lastWords: samePid
        ? ""
        : readFileSync(path.join(this.#server.directory, "server.log"), "utf8").slice(-4_000),
    };
  }

  async #newWorld(): Promise<void> {
    this.#world = await createWorld(this.#server.url, this.#worlds++);
    this.#refused.push(...this.#world.refused);
  }

  async #round(from: number, until: number, seed: number): Promise<void> {
    await this.#newWorld();
    const { only } = this.#options;
    const chosenSeeds = only === undefined ? seeds : seeds.filter(({ name }) => only.test(name));
    let next = from;
    const worker = async (): Promise<void> => {
      const wire = this.#wire();
      while (next < until) {
        const number = next++;
        const random = new Random(seed, number);
        const chosen = random.pick(chosenSeeds);
        const request = mutate(chosen.build(this.#world, number), random, this.#world);
        await this.#try(wire, request, number, chosen.name);
      }
      wire.close();
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  }

  async #sendRegressions(): Promise<number> {
    await this.#newWorld();
    const wire = this.#wire();
    const all = loadRegressions();
    for (const [number, saved] of all.entries()) {
      await this.#try(wire, fromSaved(saved, this.#world), number, saved.note);
    }
    wire.close();
    return all.length;
  }

  #wire(): Wire {
    return new Wire(Number(new URL(this.#server.url).port));
  }

  #command(request: FuzzRequest): string {
    return asCommand(request, this.#server.url);
  }

  async #try(wire: Wire, request: FuzzRequest, number: number, endpoint: string): Promise<void> {
    const outcome = await wire.send(request);
    const status = outcome.answers[0]?.status ?? 0;
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    // Of malformed bytes the server may wait for the rest, so their time says nothing.
    if (!request.malformed) {
      if (outcome.ms > this.#slowest.ms) this.#slowest = { ms: outcome.ms, command: this.#command(request) };
      if (outcome.ms > SLOW_MS) this.#slow.push({ request, ms: outcome.ms, number, endpoint });
    }
    const found = problems(request, outcome, this.#server.directory);
    if (found.length > 0) await this.#fail(request, outcome, found, number, endpoint);
  }

  async #fail(
    request: FuzzRequest,
    outcome: Outcome,
    found: readonly string[],
    number: number,
    endpoint: string,
  ): Promise<void> {
    const kind = `${endpoint}: ${found.join()}`;
    if (this.#seen.has(kind) || this.#failures.length >= FAILURES_MAX) return;
    this.#seen.add(kind);
    const wire = this.#wire();
    const smallest = await minimise(request, async (candidate) => {
      const repeated = problems(candidate, await wire.send(candidate), this.#server.directory);
      return repeated.join() === found.join();
    });
    wire.close();
    if (!this.#options.regressionsOnly) save(smallest, kind, this.#world);
    const answer = outcome.answers[0]?.body.toString("utf8").slice(0, 400) ?? "";
    this.#failures.push({ number, endpoint, problems: found, answer, command: this.#command(smallest) });
  }

  /** Sends what was slow again with nothing beside it; the best of three counts, since the machine is shared. */
  async #repeatSlow(): Promise<void> {
    const slowest = this.#slow.toSorted((a, b) => b.ms - a.ms).slice(0, 20);
    for (const { request, number, endpoint } of slowest) {
      const wire = this.#wire();
      let bestMs = Number.POSITIVE_INFINITY;
      for (let repetition = 0; repetition < 3 && bestMs > SLOW_MS; repetition++) {
        bestMs = Math.min(bestMs, (await wire.send(request)).ms);
      }
      wire.close();
      if (bestMs <= SLOW_MS) continue;
      const problem = `slower than ${SLOW_MS} ms three times, alone: ${bestMs.toFixed(0)} ms`;
      if (this.#seen.has(`${endpoint}: slow`)) continue;
      this.#seen.add(`${endpoint}: slow`);
      save(request, `${endpoint}: slow`, this.#world);
      this.#failures.push({
        number,
        endpoint,
        problems: [problem],
        answer: "",
        command: this.#command(request),
      });
    }
  }
}

/** The result in a few lines. */
export function describe(result: FuzzResult): string {
  const statuses = Object.entries(result.statuses).map(
    ([status, count]) => `${status === "0" ? "closed" : status}: ${count}`,
  );
  return [
    `fuzz: ${result.requests} requests in ${result.seconds.toFixed(0)} s, seed ${result.seed}; ${statuses.join(", ")}`,
    `slowest ${result.slowest.ms.toFixed(0)} ms (${result.slowUnderLoad} above ${SLOW_MS} ms under load): ${result.slowest.command.slice(0, 300)}`,
    ...result.refused.slice(0, 20).map((line) => `refused: ${line}`),
    ...result.failures.map(
      ({ number, endpoint, problems: found, command, answer }) =>
        `request ${number}, ${endpoint}: ${found.join("; ")}\n  ${command}\n  ${answer}`,
    ),
    ...(result.samePid ? [] : [`the server is gone; its last words:\n${result.lastWords}`]),
  ].join("\n");
}

if (import.meta.main) {
  const seed = Number(process.argv[3] ?? process.env["MILLRACE_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
  const only = process.env["MILLRACE_FUZZ_ONLY"];
  const result = await fuzz({
    requests: Number(process.argv[2] ?? 20_000),
    seed,
    only: only === undefined ? undefined : new RegExp(only),
  });
  console.log(describe(result));
  const isGood =
    result.failures.length === 0 && result.refused.length === 0 && result.samePid && result.healthy;
  process.exitCode = isGood ? 0 : 1;
}
