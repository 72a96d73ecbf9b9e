/**
 * Size and speed of sealed metric chunks, by the shape of the data. Run it with
 * `node --conditions=millrace-source bench/chunk-codec.ts`, or a number of rounds after it.
 *
 * One million points a shape: 100 runs × 10 keys × 1,000 steps, a chunk per run and key. Times are the best of
 * the rounds, on one thread. "zstd" is what level 1 over the finished chunk would save and cost.
 */
import { zstdCompressSync, constants } from "node:zlib";

import { decodeChunk, encodeChunk } from "../packages/platform/src/db/chunks/codec.ts";
import type { Points } from "../packages/platform/src/db/chunks/points.ts";

const runs = 100;
const keys = 10;
const pointsPerSeries = 1_000;
const rounds = Number(process.argv[2] ?? 5);

/** Marsaglia's xorshift32 as a uniform number in [0, 1) with 53 random bits, so that every run sees the same data. */
function uniform(seed: number): () => number {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

type Draw = () => number;
type Shape = (random: Draw) => (step: number) => number;

const loss: Shape = (random) => {
  const scale = 0.5 + random();
  return (step) => scale * Math.exp(-step / 400) + 0.05 * random();
};

const values: Record<string, Shape> = {
  "full mantissa, uniform": (random) => () => random(),
  "full mantissa, both signs": (random) => () =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(6.283 * random()),
  "full mantissa, loss curve": loss,
  "32-bit floats, loss curve": (random) => {
    const draw = loss(random);
    return (step) => Math.fround(draw(step));
  },
  "rounded to 4 digits, uniform": (random) => () => Math.round(random() * 10_000) / 10_000,
  "rounded to 4 digits, loss curve": (random) => {
    const draw = loss(random);
    return (step) => Math.round(draw(step) * 10_000) / 10_000;
  },
  "rounded to 6 digits, uniform": (random) => () => Math.round(random() * 1e6) / 1e6,
  "rounded to 4 digits, 1 % NaN": (random) => () =>
    random() < 0.01 ? NaN : Math.round(random() * 10_000) / 10_000,
  "integers below 1,000": (random) => () => Math.floor(random() * 1_000),
  constant: (random) => {
    const value = random();
    return () => value;
  },
};

/** Milliseconds from one step to the next. */
const paces: Record<string, (random: Draw) => Draw> = {
  "1 s ± 50 ms": (random) => () => 950 + Math.floor(random() * 101),
  "5 ms ± 2 ms": (random) => () => 3 + Math.floor(random() * 5),
  "1 s ± 50 ms, 1 % pauses of 30 s": (random) => () =>
    950 + Math.floor(random() * 101) + (random() < 0.01 ? 30_000 : 0),
};

function* chunksOf(shape: Shape, pace: (random: Draw) => Draw): Generator<Points> {
  for (let series = 0; series < runs * keys; series++) {
    const random = uniform(series * 2_654_435_761 + 1);
    const draw = shape(random);
    const pause = pace(random);
    const steps = new Float64Array(pointsPerSeries);
    const timestampsMs = new Float64Array(pointsPerSeries);
    const drawn = new Float64Array(pointsPerSeries);
    let timestampMs = 1_760_000_000_000 + series * 1_000;
    for (let step = 0; step < pointsPerSeries; step++) {
      timestampMs += pause();
      steps[step] = step;
      timestampsMs[step] = timestampMs;
      drawn[step] = draw(step);
    }
    yield { count: pointsPerSeries, steps, timestampsMs, values: drawn };
  }
}

/** Points (or anything counted) per second, in millions: the best of the rounds. */
function millionsPerSecond(points: number, work: () => void): number {
  let bestMs = Infinity;
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    work();
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return points / bestMs / 1_000;
}

const number = (value: number, digits: number, width: number) => value.toFixed(digits).padStart(width);

for (const [paceName, pace] of Object.entries(paces)) {
  console.log(
    `\ntimestamps ${paceName}`.padEnd(36),
    "MB per M points   encode M/s   decode M/s   zstd: MB   then encode M/s",
  );
  for (const [name, shape] of Object.entries(values)) {
    const chunks = [...chunksOf(shape, pace)];
    const encoded = chunks.map((points) => encodeChunk(points).data);
    const points = chunks.length * pointsPerSeries;
    const megabytes = (parts: readonly Uint8Array[]) =>
      parts.reduce((sum, part) => sum + part.length, 0) / points;
    const compress = (data: Uint8Array) =>
      zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    const compressed = megabytes(encoded.map(compress));
    const encode = millionsPerSecond(points, () => chunks.forEach((each) => encodeChunk(each)));
    const decode = millionsPerSecond(points, () => encoded.forEach((each) => decodeChunk(each)));
    const both = millionsPerSecond(points, () => chunks.forEach((each) => compress(encodeChunk(each).data)));
    console.log(
      `  ${name}`.padEnd(36),
      number(megabytes(encoded), 2, 15),
      number(encode, 1, 12),
      number(decode, 1, 12),
      number(compressed, 2, 10),
      number(both, 1, 17),
    );
  }
}
