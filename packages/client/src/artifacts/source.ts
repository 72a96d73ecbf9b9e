/** Bytes to upload, in whatever form the caller has them. */

/** Bytes that can be read in parts and more than once. */
export interface ByteSource {
  /** Undefined when it is not known before the end. */
  readonly sizeBytes: number | undefined;
  /** False for a stream, which is gone after the first attempt. */
  readonly repeatable: boolean;
  /** Opens the bytes from `startByte` up to, and without, `endByte`. */
  open(startByte?: number, endByte?: number): BodyInit;
}

export type Uploadable =
  | string
  | Uint8Array<ArrayBuffer>
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | ByteSource;

export function byteSourceOf(given: Uploadable): ByteSource {
  if (typeof given === "string") return byteSourceOf(new TextEncoder().encode(given));
  if (given instanceof ArrayBuffer) return byteSourceOf(new Uint8Array(given));
  if (given instanceof Uint8Array) {
    return {
      sizeBytes: given.byteLength,
      repeatable: true,
      open: (startByte = 0, endByte = given.byteLength) => given.subarray(startByte, endByte),
    };
  }
  if (given instanceof Blob) {
    return {
      sizeBytes: given.size,
      repeatable: true,
      open: (startByte = 0, endByte = given.size) => given.slice(startByte, endByte),
    };
  }
  if (given instanceof ReadableStream) return { sizeBytes: undefined, repeatable: false, open: () => given };
  return given;
}
