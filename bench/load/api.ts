import { Connection } from "./connection.ts";
import { apiGet, apiPost } from "./requests.ts";
import type { RawResponse } from "./response-parser.ts";

/** An answer and how long it took from the first byte sent to the last one received. */
export interface TimedResponse extends RawResponse {
  readonly ms: number;
}

/** One connection for set-up, timed single reads and verification; reconnects when the server hung up. */
export class Api {
  readonly #port: number;
  #connection: Connection | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async timed(request: Buffer, sink?: (bytes: Buffer) => void): Promise<TimedResponse> {
    const connection = await this.connection();
    const start = performance.now();
    const { status, body } = await connection.request(request, sink);
    return { status, body, ms: performance.now() - start };
  }

  async connection(): Promise<Connection> {
    if (!this.#connection?.alive) this.#connection = await Connection.open(this.#port);
    return this.#connection;
  }

  /** POSTs to an endpoint and gives its JSON; throws on any status but 200. */
  async post(endpoint: string, body: unknown): Promise<unknown> {
    return jsonOf(await this.timed(apiPost(endpoint, body)), endpoint);
  }

  async get(
    endpoint: string,
    query: Readonly<Record<string, string | number | readonly string[]>>,
  ): Promise<unknown> {
    return jsonOf(await this.timed(apiGet(endpoint, query)), endpoint);
  }

  async createExperiment(name: string): Promise<string> {
    const reply = (await this.post("experiments/create", { name })) as { experiment_id: string };
    return reply.experiment_id;
  }

  async createRun(experimentId: string, startTimeMs = 1_700_000_000_000): Promise<string> {
    const reply = await this.post("runs/create", { experiment_id: experimentId, start_time: startTimeMs });
    return (reply as { run: { info: { run_id: string } } }).run.info.run_id;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

/** The JSON of an answer with status 200; anything else is an error that quotes the answer. */
export function jsonOf({ status, body }: RawResponse, what: string): unknown {
  if (status !== 200) throw new Error(`${what} answered ${String(status)}: ${body.toString().slice(0, 300)}`);
  return JSON.parse(body.toString()) as unknown;
}

/** What is wrong with an answer that should be 200 and an empty object; undefined when nothing is. */
export function problemUnlessEmptyObject({ status, body }: RawResponse): string | undefined {
  if (status === 200 && body.length === 2 && body[0] === 0x7b && body[1] === 0x7d) return undefined;
  if (status === 200 && /^\s*\{\s*\}\s*$/.test(body.toString())) return undefined;
  return `status ${String(status)}: ${body.toString().slice(0, 200)}`;
}
