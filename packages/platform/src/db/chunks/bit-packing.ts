/**
 * Fixed-width bit packing: value i occupies bits i·width to (i + 1)·width − 1, bit 0 being the lowest bit of
 * the first byte. Words are read and written whole, so up to 4 bytes after the packed ones are touched.
 */

/** Bits needed for an integer from 0 to 2^53. */
export function bitWidth(value: number): number {
  if (value < 0x1_0000_0000) return 32 - Math.clz32(value);
  return 64 - Math.clz32(Math.floor(value / 0x1_0000_0000));
}

export function packedBytes(count: number, width: number): number {
  return Math.ceil((count * width) / 8);
}

/** Packs values[start…end) − base; the differences need at most `width` ≤ 32 bits. */
export function pack(
  view: DataView,
  position: number,
  values: Float64Array,
  start: number,
  end: number,
  base: number,
  width: number,
): void {
  let pending = 0;
  let pendingBits = 0;
  for (let i = start; i < end; i++) {
    const value = (values[i]! - base) >>> 0;
    pending |= value << pendingBits;
    pendingBits += width;
    if (pendingBits >= 32) {
      view.setUint32(position, pending, true);
      position += 4;
      pendingBits -= 32;
      // A shift by 32 would be a shift by 0.
      pending = pendingBits === 0 ? 0 : value >>> (width - pendingBits);
    }
  }
  if (pendingBits > 0) view.setUint32(position, pending, true);
}

/** The inverse of `pack`, adding `base` to each. */
export function unpack(
  view: DataView,
  position: number,
  values: Float64Array,
  start: number,
  end: number,
  base: number,
  width: number,
): void {
  if (width === 0) {
    values.fill(base, start, end);
    return;
  }
  const mask = width === 32 ? 0xffff_ffff : 2 ** width - 1;
  let bit = 0;
  if (width <= 25) {
    // With the up to 7 bits before it, a value lies within one word.
    for (let i = start; i < end; i++) {
      values[i] = base + ((view.getUint32(position + (bit >>> 3), true) >>> (bit & 7)) & mask);
      bit += width;
    }
    return;
  }
  for (let i = start; i < end; i++) {
    const at = position + (bit >>> 3);
    const shift = bit & 7;
    let word = view.getUint32(at, true);
    if (shift !== 0) word = (word >>> shift) | (view.getUint8(at + 4) << (32 - shift));
    values[i] = base + ((word & mask) >>> 0);
    bit += width;
  }
}
