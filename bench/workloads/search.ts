import {
  metricsPerRun,
  metricValue,
  paramsPerRun,
  paramValue,
  tagsPerRun,
  tagValue,
  type Population,
} from "../data/population.ts";
import { jsonOf } from "../load/api.ts";
import { apiPost } from "../load/requests.ts";
import { median, Samples } from "../measure/quantiles.ts";
import type { Goal } from "../report/verdict.ts";
import type { Figure, Measurement, Session, Workload } from "../session.ts";
import { sizeNote } from "./summary.ts";

interface RunPage {
  readonly runs?: readonly {
    readonly info: { readonly run_id: string };
    readonly data: Readonly<Record<"metrics" | "params" | "tags", readonly unknown[]>>;
  }[];
  readonly next_page_token?: string;
}

interface SearchCase {
  readonly name: string;
  readonly title: string;
  readonly limit: number;
  readonly orderMetric?: number;
  /** An index gives the order, so that the cost hardly grows with the number of runs. */
  readonly ordered: boolean;
  /** A filter and its meaning; `nudge` makes each request another one, so that no cache of answers helps. */
  filter?(nudge: number): { readonly text: string; readonly keep: (index: number) => boolean };
}

const selectivities = [0.001, 0.1, 0.9] as const;
const metricCases: readonly SearchCase[] = (["independent", "anti-correlated"] as const).flatMap((kind) =>
  selectivities.map((share) => ({
    name: `${kind}-${String(share * 100)}`,
    title: `100 by metric filter ${String(share * 100)} %, ${kind} order`,
    limit: 100,
    orderMetric: kind === "independent" ? 1 : 2,
    ordered: kind === "independent" && share >= 0.1,
    filter: (nudge: number) => {
      const threshold = 1 - share * (1 + nudge / 1000);
      return {
        text: `metrics.m0 > ${String(threshold)}`,
        keep: (index: number) => metricValue(index, 0) > threshold,
      };
    },
  })),
);
const plainCases: readonly SearchCase[] = [
  {
    name: "param",
    title: "100 by param condition (25 %)",
    limit: 100,
    ordered: true,
    filter: () => ({ text: "params.p0 = 'adam'", keep: (index) => paramValue(index, 0) === "adam" }),
  },
  {
    name: "like",
    title: "100 by tag LIKE '%ab%' (3 %)",
    limit: 100,
    ordered: true,
    filter: () => ({ text: "tags.t0 LIKE '%ab%'", keep: (index) => tagValue(index, 0).includes("ab") }),
  },
  { name: "first-page", title: "first page of 1,000", limit: 1000, ordered: true },
];
const deepPages = [50, 100] as const;
const deepPage = 100;

function bodyOf(
  population: Population,
  one: SearchCase,
  filter: string | undefined,
  pageToken?: string,
): unknown {
  const order = one.orderMetric === undefined ? undefined : [`metrics.m${String(one.orderMetric)} DESC`];
  return {
    experiment_ids: [population.experimentId],
    max_results: one.limit,
    ...(filter === undefined ? {} : { filter }),
    ...(order === undefined ? {} : { order_by: order }),
    ...(pageToken === undefined ? {} : { page_token: pageToken }),
  };
}

/** The answer must hold exactly the expected runs in the expected order, each with all of its data. */
function confirmPage(page: RunPage, expected: readonly string[], what: string): void {
  const ids = (page.runs ?? []).map((run) => run.info.run_id);
  const wrong = expected.findIndex((id, i) => ids[i] !== id);
  if (ids.length !== expected.length || wrong >= 0)
    throw new Error(
      `${what}: ${String(ids.length)} runs came back and ${String(expected.length)} were expected; the first difference is at ${String(wrong)}.`,
    );
  for (const { info, data } of page.runs ?? [])
    if (
      data.metrics.length !== metricsPerRun ||
      data.params.length !== paramsPerRun ||
      data.tags.length < tagsPerRun
    )
      throw new Error(`${what}: run ${info.run_id} came back without all of its metrics, params and tags.`);
}

async function timeCase(session: Session, population: Population, one: SearchCase): Promise<Samples> {
  const { quick } = session.options;
  const [warmUps, repetitions] = quick ? [1, 3] : session.target.name === "millrace" ? [5, 40] : [2, 10];
  const samples = new Samples();
  for (let i = 0; i < warmUps + repetitions; i++) {
    const filter = one.filter?.(i);
    const request = apiPost("runs/search", bodyOf(population, one, filter?.text));
    const answer = await session.api.timed(request);
    const expected = population.expectedIds({
      keep: filter?.keep,
      orderMetric: one.orderMetric,
      limit: one.limit,
    });
    confirmPage(jsonOf(answer, "runs/search") as RunPage, expected, one.name);
    if (i >= warmUps) samples.add(answer.ms);
  }
  return samples;
}

/** Walks to the hundredth page by token and times the pages from there on. */
async function timeDeepPage(
  session: Session,
  population: Population,
  pageSize: number,
): Promise<Samples | undefined> {
  if (population.count < deepPage * pageSize && !session.options.quick) return undefined;
  const depth = session.options.quick ? Math.floor(population.count / pageSize) : deepPage;
  const one: SearchCase = { name: `page ${String(depth)}`, title: "", limit: pageSize, ordered: true };
  const samples = new Samples();
  let token: string | undefined;
  for (let page = 1; page < depth + (session.options.quick ? 2 : 40); page++) {
    const answer = await session.api.timed(apiPost("runs/search", bodyOf(population, one, undefined, token)));
    const found = jsonOf(answer, "runs/search") as RunPage;
    const offset = (Math.min(page, Math.ceil(population.count / pageSize)) - 1) * pageSize;
    confirmPage(found, population.expectedIds({ offset, limit: pageSize }), one.name);
    if (page >= depth) samples.add(answer.ms);
    // On the last page there is no further token: the page itself is asked for again.
    token = found.next_page_token || token;
  }
  return samples;
}

const searchCases = [...metricCases, ...plainCases];

/** How many times slower a search may be among five times as many runs. */
function growthAllowed(name: string): number {
  return (searchCases.find((one) => one.name === name)?.ordered ?? true) ? 1.5 : 6;
}

function figuresOf(
  prefix: string,
  size: string,
  goalOf: (name: string, boundMs?: number) => Partial<Figure>,
): Figure[] {
  const figure = (name: string, title: string, boundMs?: number): Figure => ({
    id: `${prefix}.${name}`,
    title: `search ${size} runs: ${title}`,
    unit: "ms",
    better: "lower",
    ...goalOf(name, boundMs),
  });
  return [
    ...metricCases.map((one) => figure(one.name, one.title)),
    ...plainCases.map((one) => figure(one.name, one.title, one.name === "first-page" ? 40 : 8)),
    ...deepPages.map((pageSize) =>
      figure(`deep-${String(pageSize)}`, `page 100 deep by token, pages of ${String(pageSize)}`, 4),
    ),
  ];
}

const ownBound = (_: string, boundMs?: number): Partial<Figure> =>
  boundMs === undefined ? {} : { goals: [{ bound: "at most", value: boundMs }] };

const ofAllSix = (name: string, title: string, boundMs: number): Figure => ({
  id: `search.${name}`,
  title: `search 20,000 runs: ${title}`,
  unit: "ms",
  better: "lower",
  ...ownBound(name, boundMs),
});

async function measureAll(
  session: Session,
  prefix: string,
  runs: number,
  nominalRuns: number,
): Promise<Record<string, Measurement>> {
  const population = await session.population(runs);
  const measured: Record<string, Measurement> = {};
  const record = (name: string, samples: Samples): void => {
    measured[`${prefix}.${name}`] = {
      value: samples.p50,
      detail: samples.toString(),
      at: sizeNote(population.count, nominalRuns, "runs"),
    };
  };
  for (const one of [...metricCases, ...plainCases])
    record(one.name, await timeCase(session, population, one));
  for (const size of deepPages) {
    const samples = await timeDeepPage(session, population, size);
    if (samples !== undefined) record(`deep-${String(size)}`, samples);
  }
  return measured;
}

export const search: Workload = {
  name: "search",
  figures: [
    ...figuresOf("search", "20,000", ownBound),
    ofAllSix("typical", "median of the six metric filters", 8),
    ofAllSix("worst", "slowest of the six metric filters", 25),
  ],
  async run(session) {
    const measured = await measureAll(session, "search", session.sizes.runs, 20_000);
    const values = metricCases.map((one) => measured[`search.${one.name}`]?.value ?? Number.NaN);
    const at = measured["search.independent-10"]?.at;
    for (const [id, one] of Object.entries(measured)) session.remembered.set(id, one.value);
    return {
      ...measured,
      "search.typical": { value: median(values), at },
      "search.worst": { value: Math.max(...values), at },
    };
  },
};

export const searchLarge: Workload = {
  name: "search-large",
  figures: figuresOf("search-large", "100,000", (name) => ({
    rule: `≤ ${String(growthAllowed(name))} × the same at 20,000`,
  })),
  unavailable: (session) =>
    session.sizes.largeRuns === 0 ? "seeding takes MLflow hours: --mlflow-large-runs" : undefined,
  async run(session) {
    const measured = await measureAll(session, "search-large", session.sizes.largeRuns, 100_000);
    return Object.fromEntries(
      Object.entries(measured).map(([id, one]) => {
        const name = id.slice("search-large.".length);
        const small = session.remembered.get(`search.${name}`);
        if (small === undefined) return [id, one];
        const times = growthAllowed(name);
        const because = `${String(times)} × the same at ${session.sizes.runs.toLocaleString("en-US")}`;
        return [
          id,
          { ...one, goals: [{ bound: "at most", value: small * times, because }] satisfies Goal[] },
        ];
      }),
    );
  },
};
