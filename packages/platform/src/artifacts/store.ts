/**
 * What every artifact store offers: bytes under slash-separated paths relative to the store's root.
 *
 * Paths given to a store are plain names, already decoded and checked by `checkArtifactPath`; a store
 * never decodes percent signs. The empty path is the root. A store refuses, on its own account, any path
 * that would leave the root (`INVALID_PARAMETER_VALUE`), because it is the last to look.
 *
 * Errors are `PlatformError`s: `RESOURCE_DOES_NOT_EXIST` for a missing artifact, `INVALID_PARAMETER_VALUE`
 * for a path that cannot be (below a file, over a directory), `RANGE_NOT_SATISFIABLE`, `CANCELLED` for an
 * aborted upload, `NOT_IMPLEMENTED` for what `supports` denies, `TEMPORARILY_UNAVAILABLE` when the disk is
 * full or the other side is down.
 */
export interface ArtifactStore {
  readonly supports: ArtifactStoreSupport;

  /**
   * The direct children of a directory, sorted by code point of the name. A missing directory and the path
   * of a file give an empty list.
   */
  list(directory: string): Promise<readonly ArtifactEntry[]>;

  /** What is at `path`, or undefined. */
  stat(path: string): Promise<ArtifactStat | undefined>;

  /**
   * Opens a file for streaming. Nothing is held in memory but the chunk in flight. Resources are freed when
   * `body` ends, fails or is left early (`return()`), and by `close()` if it is never iterated.
   */
  read(path: string, range?: RangeRequest, options?: ReadOptions): Promise<ArtifactRead>;

  /**
   * Stores a whole file: readers see the old bytes or the new ones, never a mixture, and after a failure or
   * an abort the old ones. Resolves when the bytes would survive a power loss.
   */
  write(path: string, body: ArtifactBody, options?: WriteOptions): Promise<ArtifactWritten>;

  /** Removes a file or a whole tree. A missing path is fine. The root itself is refused. */
  remove(path: string): Promise<void>;

  /** Starts an upload in `partCount` parts, numbered from 1, that may arrive in any order and at once. */
  createMultipart(path: string, partCount: number): Promise<MultipartCreated>;

  /** Stores one part; a repeated part number replaces the part. Only where `supports.directParts` is false. */
  writePart(
    upload: MultipartUpload,
    partNumber: number,
    body: ArtifactBody,
    options?: WriteOptions,
  ): Promise<UploadedPart>;

  /**
   * Joins the parts 1 to partCount, all of which must be listed, into the file and checks the etags that the
   * caller names. A part that is missing or differs is `INVALID_PARAMETER_VALUE`, and the upload stays open.
   */
  completeMultipart(upload: MultipartUpload, parts: readonly PartReference[]): Promise<ArtifactWritten>;

  /** Drops an unfinished upload. An unknown one is fine. */
  abortMultipart(upload: MultipartUpload): Promise<void>;

  /** An address to which a client may PUT the file itself. */
  signUpload(path: string, options: SignOptions): Promise<SignedTransfer>;

  /** An address from which a client may GET the file itself. */
  signDownload(path: string, options: SignOptions): Promise<SignedTransfer>;

  /** Releases what the store holds; uploads that are still running fail. */
  close(): Promise<void>;
}

/** What a store can do beyond plain reading and writing. Callers ask this, never the store's name. */
export interface ArtifactStoreSupport {
  readonly signedUpload: boolean;
  readonly signedDownload: boolean;
  readonly multipart: boolean;
  /** The parts of a multipart upload go to signed addresses of the store, not through `writePart`. */
  readonly directParts: boolean;
}

export interface ArtifactEntry {
  /** Relative to the store's root. */
  readonly path: string;
  readonly isDirectory: boolean;
  /** 0 for a directory. */
  readonly sizeBytes: number;
}

export interface ArtifactStat {
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Changes whenever the bytes do; without quotes. Empty for a directory. */
  readonly etag: string;
  readonly isDirectory: boolean;
}

/**
 * Which bytes of a file are wanted; both ends count. `{ last }` means the last so many bytes. An end beyond
 * the file is cut; a start beyond it is `RANGE_NOT_SATISFIABLE` with `details.sizeBytes`.
 */
export type RangeRequest =
  | { readonly start: number; readonly endInclusive?: number }
  | { readonly last: number };

export interface ArtifactRead {
  /** Size of the whole file. */
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
  /** What `body` holds: the whole file or the range asked for. Empty file: start 0, length 0. */
  readonly start: number;
  readonly lengthBytes: number;
  /** Iterated at most once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Frees the file when `body` was not iterated; harmless otherwise. */
  close(): Promise<void>;
}

export interface ReadOptions {
  /**
   * The consumer has done with a chunk (it is on its way to the kernel, not in a queue) when it asks for the
   * next one, so the store may fill the same memory again. Halves the cost of large downloads; off by default.
   */
  readonly reuseChunks?: boolean;
}

/** A chunk may be overwritten by its producer as soon as the store asks for the next one. */
export type ArtifactBody = Uint8Array | AsyncIterable<Uint8Array>;

export interface WriteOptions {
  /** The promised size (Content-Length). A body of another size is refused and nothing is stored. */
  readonly sizeBytes?: number;
  readonly signal?: AbortSignal;
}

export interface ArtifactWritten {
  readonly sizeBytes: number;
  readonly etag: string;
}

export interface MultipartUpload {
  readonly path: string;
  readonly uploadId: string;
}

export interface MultipartCreated extends MultipartUpload {
  /** One per part where `supports.directParts`; otherwise absent, and the caller hands out its own address. */
  readonly signedParts?: readonly (SignedTransfer & { readonly partNumber: number })[];
}

export interface UploadedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
}

export interface PartReference {
  readonly partNumber: number;
  /** As the part's upload answered, with or without quotes; absent: not compared. */
  readonly etag?: string;
}

export interface SignOptions {
  readonly expiresInSeconds: number;
}

export interface SignedTransfer {
  readonly url: URL;
  /** Headers that the client must send along. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Opens the store whose root is `uri`, creating the root where that is possible. */
export type OpenArtifactStore = (uri: string, options?: OpenArtifactStoreOptions) => Promise<ArtifactStore>;

export interface OpenArtifactStoreOptions {
  /** Age after which an unfinished multipart upload is removed when a store is opened; default 7 days. */
  readonly multipartExpiryMs?: number;
}
