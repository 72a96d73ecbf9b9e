/**
 * Figures of the server as Prometheus text. Requests are counted in plain arrays; prom-client, which renders them
 * and knows the process metrics, is loaded when somebody first asks.
 */
import type { Metric, Registry } from "prom-client";

export interface RequestMetrics {
  observe(endpoint: string, status: number, durationMs: number): void;
  /** Adds a gauge that is read when the metrics are asked for. */
  gauge(name: string, help: string, read: () => number): void;
  /** Prometheus text and its content type. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Upper bounds in seconds, as Prometheus wants them. */
const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const BUCKETS_MS = BUCKETS_S.map((bound) => bound * 1_000);

interface Series {
  readonly endpoint: string;
  readonly statusClass: string;
  /** Requests per bucket, not cumulated; the last is for those beyond every bound. */
  readonly counts: number[];
  sumMs: number;
  total: number;
}

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

export function createMetrics(): RequestMetrics {
  const byEndpoint = new Map<string, (Series | undefined)[]>();
  const gauges = new Map<string, { help: string; read: () => number }>();
  let registry: Promise<Registry> | undefined;

  function seriesOf(endpoint: string, hundreds: number): Series {
    let classes = byEndpoint.get(endpoint);
    if (classes === undefined) byEndpoint.set(endpoint, (classes = []));
    return (classes[hundreds] ??= {
      endpoint,
      statusClass: `${hundreds}xx`,
      counts: Array.from({ length: BUCKETS_MS.length + 1 }, () => 0),
      sumMs: 0,
      total: 0,
    });
  }

  function samples(): Sample[] {
    const found: Sample[] = [];
    for (const series of [...byEndpoint.values()].flat()) {
      if (series === undefined) continue;
      const labels = { endpoint: series.endpoint, status: series.statusClass };
      let cumulated = 0;
      for (const [index, bound] of BUCKETS_S.entries()) {
        cumulated += series.counts[index]!;
        found.push({ value: cumulated, labels: { le: bound, ...labels }, metricName: `${HISTOGRAM}_bucket` });
      }
      found.push(
        { value: series.total, labels: { le: "+Inf", ...labels }, metricName: `${HISTOGRAM}_bucket` },
        { value: series.sumMs / 1_000, labels, metricName: `${HISTOGRAM}_sum` },
        { value: series.total, labels, metricName: `${HISTOGRAM}_count` },
      );
    }
    return found;
  }

  async function open(): Promise<Registry> {
    const { Registry, collectDefaultMetrics } = await import("prom-client");
    const opened = new Registry();
    collectDefaultMetrics({ register: opened });
    opened.registerMetric(
      provided(
        HISTOGRAM,
        "Time until an answer was ready, by endpoint and class of status.",
        "histogram",
        samples,
      ),
    );
    for (const [name, { help, read }] of gauges) opened.registerMetric(gaugeOf(name, help, read));
    return opened;
  }

  return {
    observe(endpoint, status, durationMs) {
      const series = seriesOf(endpoint, Math.trunc(status / 100));
      let bucket = 0;
      while (bucket < BUCKETS_MS.length && durationMs > BUCKETS_MS[bucket]!) bucket++;
      series.counts[bucket]! += 1;
      series.sumMs += durationMs;
      series.total += 1;
    },
    gauge(name, help, read) {
      gauges.set(name, { help, read });
      registry = undefined;
    },
    async render() {
      const opened = await (registry ??= open());
      return { contentType: opened.contentType, text: await opened.metrics() };
    },
  };
}

const HISTOGRAM = "millrace_http_request_duration_seconds";

function gaugeOf(name: string, help: string, read: () => number): Metric {
  return provided(name, help, "gauge", () => [{ value: read(), labels: {} }]);
}

/** A metric whose values are made when they are asked for, in the shape that prom-client's registry reads. */
function provided(name: string, help: string, type: "gauge" | "histogram", read: () => Sample[]): Metric {
  const metric = {
    name,
    help,
    type,
    aggregator: "sum",
    labelNames: [],
    get: () => Promise.resolve({ name, help, type, aggregator: "sum", values: read() }),
    reset: () => undefined,
  };
  return metric as unknown as Metric;
}
