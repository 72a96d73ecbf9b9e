export interface Progress {
  readonly doneBytes: number;
  /** Undefined while it is not known. */
  readonly totalBytes: number | undefined;
  readonly filesDone: number;
  readonly filesTotal: number;
  /** The artifact that moved last. */
  readonly path: string;
}

export interface ProgressOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What a transfer of one file tells: how many more bytes went, negative when an attempt begins anew. */
export type Moved = (bytes: number) => void;

/** Counts what moves through a body; pieces are seen of streams only, other bodies go as a whole. */
export function counted(body: BodyInit, moved: Moved): BodyInit {
  if (!(body instanceof ReadableStream)) return body;
  return (body as ReadableStream<Uint8Array>).pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        moved(piece.byteLength);
        controller.enqueue(piece);
      },
    }),
  );
}
