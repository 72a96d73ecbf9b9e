import { bitWidth, pack, packedBytes, unpack } from "./bit-packing.ts";
import { type ByteStream, damagedChunk } from "./byte-stream.ts";

/** Points that one chunk may hold. */
export const chunkPointsMax = 4_096;

/** Within ±2^50 even a difference of differences is an exact double. */
const exactMagnitudeMax = 2 ** 50;

const blockLength = 128;
const blocksMax = chunkPointsMax / blockLength;

/** Kind bytes: the order of differences (0, 1, 2), plus 4 when all residuals are equal; or plain 64-bit integers. */
const constantResiduals = 4;
const plain64 = 8;

/** Residuals of one order of differences, with what the blocks will need. */
interface Candidate {
  readonly residuals: Float64Array;
  readonly mins: Float64Array;
  readonly widths: Uint8Array;
  count: number;
  bits: number;
  constant: boolean;
}

// Reused by every call: encoding is synchronous and never nests.
const candidates: readonly Candidate[] = [0, 1, 2].map(() => ({
  residuals: new Float64Array(chunkPointsMax),
  mins: new Float64Array(blocksMax),
  widths: new Uint8Array(blocksMax),
  count: 0,
  bits: 0,
  constant: false,
}));
const highWords = new Float64Array(blockLength);

/**
 * Writes safe integers, at most `chunkPointsMax`. The order of differences is chosen by size, up to `orderMax`:
 * 0 for values that jump about, 1 for a steady rise, 2 for a steady rise whose pace drifts.
 */
export function writeIntegers(
  stream: ByteStream,
  values: Float64Array,
  count: number,
  orderMax: 0 | 1 | 2,
): void {
  let smallest = Infinity;
  let largest = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
  }
  if (smallest < -exactMagnitudeMax || largest > exactMagnitudeMax) {
    writeWideIntegers(stream, BigInt64Array.from(values.subarray(0, count), BigInt), count);
    return;
  }
  let order = 0;
  let best = candidates[0]!;
  best.residuals.set(count === values.length ? values : values.subarray(0, count));
  measure(best, count);
  for (let next = 1; next <= orderMax && next < count && !best.constant; next++) {
    const previous = candidates[next - 1]!.residuals;
    const candidate = candidates[next]!;
    const { residuals } = candidate;
    for (let i = 0; i < count - next; i++) residuals[i] = previous[i + 1]! - previous[i]!;
    measure(candidate, count - next);
    if (candidate.bits < best.bits) {
      best = candidate;
      order = next;
    }
  }
  stream.writeByte(best.constant ? order + constantResiduals : order);
  for (let i = 0; i < order; i++) stream.writeVarint(candidates[i]!.residuals[0]!);
  if (best.constant) stream.writeVarint(best.residuals[0]!);
  else writeBlocks(stream, best);
}

/** Writes any int64, 8 bytes each, for what does not fit into exact doubles. */
export function writeWideIntegers(stream: ByteStream, values: BigInt64Array, count: number): void {
  stream.writeByte(plain64);
  for (let i = 0; i < count; i++) {
    stream.view.setBigInt64(stream.position, values[i]!, true);
    stream.position += 8;
  }
}

function measure(candidate: Candidate, count: number): void {
  const { residuals, mins, widths } = candidate;
  let bits = 0;
  let block = 0;
  for (let start = 0; start < count; start += blockLength) {
    const end = Math.min(start + blockLength, count);
    let min = residuals[start]!;
    let max = min;
    for (let i = start + 1; i < end; i++) {
      const residual = residuals[i]!;
      if (residual < min) min = residual;
      else if (residual > max) max = residual;
    }
    const width = bitWidth(max - min);
    mins[block] = min;
    widths[block] = width;
    // One byte of width, and the block's base.
    bits += (end - start) * width + 16 + bitWidth(Math.abs(min));
    block++;
  }
  candidate.count = count;
  candidate.constant = true;
  for (let i = 0; i < block && candidate.constant; i++) {
    candidate.constant = widths[i] === 0 && mins[i] === mins[0];
  }
  candidate.bits = candidate.constant ? 8 + bitWidth(Math.abs(mins[0]!)) : bits;
}

function writeBlocks(stream: ByteStream, candidate: Candidate): void {
  const { residuals, mins, widths, count } = candidate;
  let block = 0;
  for (let start = 0; start < count; start += blockLength) {
    const end = Math.min(start + blockLength, count);
    const min = mins[block]!;
    const width = widths[block]!;
    block++;
    stream.writeVarint(min);
    stream.writeByte(width);
    if (width === 0) continue;
    pack(stream.view, stream.position, residuals, start, end, min, Math.min(width, 32));
    stream.position += packedBytes(end - start, Math.min(width, 32));
    if (width <= 32) continue;
    for (let i = start; i < end; i++)
      highWords[i - start] = Math.floor((residuals[i]! - min) / 0x1_0000_0000);
    pack(stream.view, stream.position, highWords, 0, end - start, 0, width - 32);
    stream.position += packedBytes(end - start, width - 32);
  }
}

/**
 * Reads what `writeIntegers` or `writeWideIntegers` wrote into the first `count` places of `values`; answers the
 * integers in full when they were stored as 64 bits, and then leaves `values` alone.
 * @throws PlatformError DATA_LOSS
 */
export function readIntegers(
  stream: ByteStream,
  values: Float64Array,
  count: number,
): BigInt64Array | undefined {
  const kind = stream.readByte();
  if (kind === plain64) return readWideIntegers(stream, count);
  const order = kind & 3;
  if (kind >= plain64 || order === 3 || order >= count)
    throw damagedChunk(`a column has the unknown kind ${kind}`);
  const first = order > 0 ? stream.readVarint() : 0;
  const firstDifference = order > 1 ? stream.readVarint() : 0;
  if ((kind & constantResiduals) !== 0) values.fill(stream.readVarint(), order, count);
  else readBlocks(stream, values, order, count);
  if (order > 0) values[0] = first;
  if (order > 1) values[1] = firstDifference;
  if (order > 1) sumUp(values, 1, count);
  if (order > 0) sumUp(values, 0, count);
  return undefined;
}

function sumUp(values: Float64Array, start: number, end: number): void {
  let sum = values[start]!;
  for (let i = start + 1; i < end; i++) {
    sum += values[i]!;
    values[i] = sum;
  }
}

function readBlocks(stream: ByteStream, values: Float64Array, first: number, count: number): void {
  for (let start = first; start < count; start += blockLength) {
    const end = Math.min(start + blockLength, count);
    const min = stream.readVarint();
    const width = stream.readByte();
    if (width > 53) throw damagedChunk(`a block is ${width} bits wide`);
    const lowWidth = Math.min(width, 32);
    const low = stream.readSpan(packedBytes(end - start, lowWidth));
    unpack(stream.view, low, values, start, end, min, lowWidth);
    if (width <= 32) continue;
    const high = stream.readSpan(packedBytes(end - start, width - 32));
    unpack(stream.view, high, highWords, 0, end - start, 0, width - 32);
    for (let i = start; i < end; i++) values[i] = values[i]! + highWords[i - start]! * 0x1_0000_0000;
  }
}

function readWideIntegers(stream: ByteStream, count: number): BigInt64Array {
  const start = stream.readSpan(count * 8);
  const values = new BigInt64Array(count);
  for (let i = 0; i < count; i++) values[i] = stream.view.getBigInt64(start + i * 8, true);
  return values;
}
