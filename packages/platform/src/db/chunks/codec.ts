/**
 * Sealed chunks: 1 to 4,096 metric points of one series as a self-contained byte string. The same bytes go into
 * any database, and nothing beyond arithmetic is needed to read them, so a browser can.
 *
 * Format, version 1. All multi-byte numbers are little-endian.
 *
 *   chunk    = version (1 byte, 1), checksum (4 bytes: CRC-32 of everything after it, as in zlib),
 *              count (varint), steps (column), timestamps in ms (column), values
 *   varint   = first byte: bit 7 "another byte follows", bit 6 sign (1 is negative), bits 5–0 the low bits of the
 *              magnitude; each following byte: bit 7 "another byte follows", bits 6–0 the next higher bits
 *   column   = kind (1 byte), then by kind
 *              0, 1, 2: the first value (kinds 1, 2) and the first difference (kind 2) as varints, then the
 *                       residuals (the values, their differences, or the differences of these) in blocks of 128,
 *                       the last one shorter
 *              4, 5, 6: the same, but all residuals are equal: one varint
 *              8:       64-bit two's complement integers; only where a magnitude exceeds 2^50
 *   block    = base (varint), width in bits (1 byte, 0–53), residuals − base: their low min(width, 32) bits packed,
 *              padded to a byte; if width > 32 then their remaining high bits packed, padded to a byte
 *   packed   = value i occupies bits i·width … (i + 1)·width − 1, bit 0 being the lowest bit of the first byte
 *   values   = form (1 byte), if bit 1 of it is set: a column of 0 and 1, 1 where the value is NaN (the number
 *              stored in its place is to be ignored), then by bit 0 of the form
 *              0: decimals k (1 byte, 0–18), column of n; a value is the double nearest to n / 10^k
 *              1: head (1 byte: bits 5–0 shift, bit 6 rotated), column of the high 32 bits of the IEEE 754 double
 *                 (rotated left by one bit if so marked), and unless shift is 32 a column of the low 32 bits
 *                 shifted right by shift, which drops only zeros
 *
 * There is no general compressor behind it: what is left after bit packing is close to noise, so that zstd adds half
 * of the encoding's time and seldom saves a byte (bench/chunk-codec.ts prints both).
 */
import { crc32 } from "node:zlib";

import { PlatformError } from "@millrace/contract";

import { ByteStream, damagedChunk } from "./byte-stream.ts";
import { chunkPointsMax, readIntegers, writeIntegers, writeWideIntegers } from "./integer-column.ts";
import { narrowSteps, type Points } from "./points.ts";
import { type ChunkSummary, summarize } from "./summary.ts";
import { readValues, writeValues } from "./value-column.ts";

export { chunkPointsMax } from "./integer-column.ts";

const version = 1;
const checksumAt = 1;
const payloadAt = 5;

const output = new ByteStream();
const input = new ByteStream();

/**
 * Encodes 1 to `chunkPointsMax` points. They should be in ascending (step, timestamp) order, which is what
 * compresses; any order is kept exactly.
 * @throws PlatformError INTERNAL_ERROR when there are no points or too many
 */
export function encodeChunk(points: Points): { data: Uint8Array; summary: ChunkSummary } {
  const { count, timestampsMs, values } = points;
  if (!(count >= 1 && count <= chunkPointsMax)) {
    throw new PlatformError("INTERNAL_ERROR", `A chunk holds 1 to ${chunkPointsMax} points, not ${count}.`, {
      count,
    });
  }
  const steps = narrowSteps(points.steps);
  output.startWriting();
  output.writeByte(version);
  output.position = payloadAt;
  output.writeVarint(count);
  if (steps instanceof BigInt64Array) writeWideIntegers(output, steps, count);
  else writeIntegers(output, steps, count, 2);
  writeIntegers(output, timestampsMs, count, 2);
  writeValues(output, values, count);
  const data = output.bytes.slice(0, output.position);
  output.view.setUint32(checksumAt, crc32(data.subarray(payloadAt)), true);
  data.set(output.bytes.subarray(checksumAt, payloadAt), checksumAt);
  return { data, summary: summarize({ count, steps, timestampsMs, values }) };
}

/**
 * Decodes a chunk, in the order it was encoded.
 * @throws PlatformError DATA_LOSS when the bytes are not a chunk, or were changed since
 */
export function decodeChunk(data: Uint8Array): Points {
  if (data.length <= payloadAt)
    throw damagedChunk(`it has only ${data.length} bytes`, { bytes: data.length });
  if (data[0] !== version) throw damagedChunk(`its version is ${data[0]}, this release reads ${version}`);
  input.startReading(data);
  if (crc32(data.subarray(payloadAt)) !== input.view.getUint32(checksumAt, true)) {
    throw damagedChunk("its checksum does not match", { bytes: data.length });
  }
  input.position = payloadAt;
  const count = input.readVarint();
  if (count < 1 || count > chunkPointsMax) throw damagedChunk(`it claims ${count} points`, { count });
  const narrow = new Float64Array(count);
  const steps = narrowSteps(readIntegers(input, narrow, count) ?? narrow);
  const timestampsMs = readTimestamps(count);
  const values = readValues(input, count);
  if (input.position !== input.end) throw damagedChunk(`${input.end - input.position} bytes are left over`);
  return { count, steps, timestampsMs, values };
}

function readTimestamps(count: number): Float64Array {
  const timestampsMs = new Float64Array(count);
  const wide = readIntegers(input, timestampsMs, count);
  if (wide === undefined) return timestampsMs;
  const narrow = narrowSteps(wide);
  if (narrow instanceof BigInt64Array) throw damagedChunk("a timestamp is not a safe integer");
  return narrow;
}
