import { type ByteStream, damagedChunk } from "./byte-stream.ts";
import { chunkPointsMax, readIntegers, writeIntegers } from "./integer-column.ts";

/** How the doubles are stored: one byte at the head of the column. */
const decimalForm = 0;
const bitsForm = 1;
/** Added when a column of 0 and 1 that marks the NaNs comes first. */
const hasNan = 2;

/** 10^22 is the last power of ten that is an exact double; two digits are left for columns that need a larger scale. */
const decimalsMax = 18;
/** Larger numbers gain nothing over their bits. */
const decimalMagnitudeMax = 2 ** 46;
/** Adding and subtracting it rounds a double below 2^51 to the nearest integer, faster than Math.round. */
const roundingShift = 2 ** 52 * 1.5;

const powersOfTen = Float64Array.from({ length: decimalsMax + 1 }, (_, exponent) => Number(`1e${exponent}`));

// Reused by every call: encoding and decoding are synchronous and never nest.
const dense = new Float64Array(chunkPointsMax);
const denseWords = new Uint32Array(dense.buffer);
const column = new Float64Array(chunkPointsMax);
const marks = new Float64Array(chunkPointsMax);
/** Where the high word of a double lies in memory on this machine; the format does not depend on it. */
const high = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;
const low = 1 - high;

/** Writes doubles bit for bit, but for the payload of NaNs. */
export function writeValues(stream: ByteStream, values: Float64Array, count: number): void {
  const nanCount = fillGaps(values, count);
  const decimals = decimalsOf(count);
  stream.writeByte((decimals === undefined ? bitsForm : decimalForm) | (nanCount > 0 ? hasNan : 0));
  if (nanCount > 0) writeIntegers(stream, marks, count, 0);
  if (decimals === undefined) writeBits(stream, count);
  else {
    stream.writeByte(decimals);
    writeIntegers(stream, column, count, 2);
  }
}

/** Copies the values to `dense`; a NaN is marked and repeats its predecessor, which costs next to nothing. */
function fillGaps(values: Float64Array, count: number): number {
  let nanCount = 0;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value === value) previous = value;
    else nanCount++;
    dense[i] = previous;
  }
  if (nanCount > 0) {
    for (let i = 0; i < count; i++) marks[i] = values[i] === values[i] ? 0 : 1;
    // Leading NaNs take the first number instead of 0.
    const first = values.findIndex((value) => value === value);
    if (first > 0 && first < count) dense.fill(dense[first]!, 0, first);
  }
  return nanCount;
}

/**
 * The least k for which every value is n / 10^k with an integer n, exactly, bit for bit; the n are left in
 * `column`. Undefined when there is none. A quotient of two exact doubles is correctly rounded, so n / 10^k
 * is the double that the decimal literal denotes.
 */
function decimalsOf(count: number): number | undefined {
  let decimals = 0;
  let scale = 1;
  for (let i = 0; i < count; i++) {
    const value = dense[i]!;
    let scaled = value * scale + roundingShift - roundingShift;
    while (scaled / scale !== value) {
      decimals++;
      if (decimals > decimalsMax || !(Math.abs(scaled) <= decimalMagnitudeMax)) return undefined;
      scale = powersOfTen[decimals]!;
      scaled = value * scale + roundingShift - roundingShift;
    }
    if (!(Math.abs(scaled) <= decimalMagnitudeMax)) return undefined;
    if (scaled === 0 && Object.is(value, -0)) return undefined;
  }
  for (let i = 0; i < count; i++) {
    // Adding 0 turns the −0 that a rounded-off negative number leaves into 0.
    const scaled = dense[i]! * scale + roundingShift - roundingShift + 0;
    if (!(Math.abs(scaled) <= decimalMagnitudeMax) || scaled / scale !== dense[i]) return undefined;
    column[i] = scaled;
  }
  return decimals;
}

/**
 * The two 32-bit halves as integer columns. Low halves lose the zero bits that all of them end with (29 in what
 * was a 32-bit float). When signs are mixed, the sign moves from the top of the high halves to their bottom,
 * where it costs one bit.
 */
function writeBits(stream: ByteStream, count: number): void {
  let lowBits = 0;
  let negatives = 0;
  for (let i = 0; i < count; i++) {
    lowBits |= denseWords[2 * i + low]!;
    negatives += denseWords[2 * i + high]! >>> 31;
  }
  const shift = lowBits === 0 ? 32 : 31 - Math.clz32(lowBits & -lowBits);
  const rotate = negatives > 0 && negatives < count;
  stream.writeByte(shift | (rotate ? 0x40 : 0));
  for (let i = 0; i < count; i++) {
    const word = denseWords[2 * i + high]!;
    column[i] = rotate ? ((word << 1) | (word >>> 31)) >>> 0 : word;
  }
  writeIntegers(stream, column, count, 1);
  if (shift === 32) return;
  for (let i = 0; i < count; i++) column[i] = denseWords[2 * i + low]! >>> shift;
  writeIntegers(stream, column, count, 0);
}

/**
 * Reads what `writeValues` wrote.
 * @throws PlatformError DATA_LOSS
 */
export function readValues(stream: ByteStream, count: number): Float64Array {
  const form = stream.readByte();
  if (form > (bitsForm | hasNan)) throw damagedChunk(`the values have the unknown form ${form}`);
  if ((form & hasNan) !== 0) readNarrow(stream, marks, count);
  const values = new Float64Array(count);
  if ((form & bitsForm) !== 0) readBits(stream, values, count);
  else {
    const decimals = stream.readByte();
    const scale = powersOfTen[decimals];
    if (scale === undefined) throw damagedChunk(`the values have ${decimals} decimals`);
    readNarrow(stream, values, count);
    if (decimals > 0) for (let i = 0; i < count; i++) values[i] = values[i]! / scale;
  }
  if ((form & hasNan) !== 0) for (let i = 0; i < count; i++) if (marks[i] !== 0) values[i] = NaN;
  return values;
}

function readBits(stream: ByteStream, values: Float64Array, count: number): void {
  const head = stream.readByte();
  const shift = head & 0x3f;
  const rotated = (head & 0x40) !== 0;
  if (shift > 32 || head > 0x7f) throw damagedChunk(`the values have the unknown head ${head}`);
  const words = new Uint32Array(values.buffer);
  readNarrow(stream, column, count);
  for (let i = 0; i < count; i++) {
    const word = column[i]! >>> 0;
    words[2 * i + high] = rotated ? (word >>> 1) | (word << 31) : word;
  }
  if (shift === 32) return;
  readNarrow(stream, column, count);
  for (let i = 0; i < count; i++) words[2 * i + low] = (column[i]! >>> 0) << shift;
}

function readNarrow(stream: ByteStream, values: Float64Array, count: number): void {
  if (readIntegers(stream, values, count) !== undefined)
    throw damagedChunk("a value column is stored as 64-bit integers");
}
