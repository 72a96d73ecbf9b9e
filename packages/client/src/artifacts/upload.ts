import { limits, PlatformError } from "@millrace/contract";
import type { CallOptions } from "../exchange.ts";
import type { StreamOptions, Transport } from "../transport.ts";
import { type ArtifactLocation, type ArtifactRoot, joinPath, type ResolveRoot } from "./location.ts";
import { multipartWanted, uploadInParts } from "./multipart.ts";
import { counted, type Moved } from "./progress.ts";
import type { ByteSource } from "./source.ts";

export interface UploadOptions extends CallOptions {
  /** Files from this size on go in parts, where the server can do that; 500 MiB by default. */
  readonly multipartBytesMin?: number | undefined;
}

/** What an upload of one file needs to know. */
export interface Upload {
  readonly transport: Transport;
  readonly resolveRoot: ResolveRoot;
  /** Asked once per client: whether files may be sent in parts. */
  readonly supportsMultipart: (options?: CallOptions) => Promise<boolean>;
}

/** Sends one file by the best way that its root allows. */
export async function uploadArtifact(
  { transport, resolveRoot, supportsMultipart }: Upload,
  location: ArtifactLocation,
  path: string,
  source: ByteSource,
  { multipartBytesMin = 500 * 1024 * 1024, ...options }: UploadOptions,
  moved: Moved,
): Promise<void> {
  if (joinPath(path) === "") {
    throw new PlatformError("INVALID_PARAMETER_VALUE", "An artifact needs a path within its run or model.");
  }
  const root = await resolveRoot(location, options);
  if (root.kind === "server") {
    await uploadThroughServer(transport, root.location, joinPath(path), source, options, moved);
    return;
  }
  const artifactPath = joinPath(root.prefix, path);
  if (multipartWanted(source, artifactPath, multipartBytesMin) && (await supportsMultipart(options))) {
    if (await uploadInParts(transport, artifactPath, source, options, moved)) return;
  }
  const streaming = streamOptionsOf(source, options, moved);
  using answered = await transport.open("writeArtifact", { artifactPath }, streaming.options);
  await answered.response.text();
  streaming.finish();
}

async function uploadThroughServer(
  transport: Transport,
  location: Extract<ArtifactRoot, { kind: "server" }>["location"],
  path: string,
  source: ByteSource,
  options: CallOptions,
  moved: Moved,
): Promise<void> {
  if ("version" in location) {
    throw new PlatformError(
      "INVALID_PARAMETER_VALUE",
      "Artifacts cannot be written through a model version. Write to its run or its logged model.",
      { ...location },
    );
  }
  const streaming = streamOptionsOf(source, options, moved);
  if ("runId" in location && (source.sizeBytes ?? Infinity) <= limits.uploadArtifactBytesMax) {
    using answered = await transport.open(
      "uploadArtifact",
      { runUuid: location.runId, path },
      streaming.options,
    );
    await answered.response.text();
  } else {
    const { presignedUrl, headers } = await transport.call(
      "createPresignedUploadUrl",
      { ...location, path },
      options,
    );
    using answered = await transport.openUrl("PUT", presignedUrl ?? "", {
      ...streaming.options,
      headers: { ...streaming.options.headers, ...headers },
    });
    await answered.response.text();
  }
  streaming.finish();
}

/** A body that is opened anew for each attempt, and whose progress is taken back when an attempt fails. */
export function streamOptionsOf(
  source: ByteSource,
  options: CallOptions,
  moved: Moved,
  range: readonly [startByte?: number, endByte?: number] = [],
): { readonly options: StreamOptions; finish(): void } {
  const [startByte = 0, endByte = source.sizeBytes] = range;
  const sizeBytes = endByte === undefined ? undefined : endByte - startByte;
  let attemptBytes = 0;
  const count: Moved = (bytes) => {
    attemptBytes += bytes;
    moved(bytes);
  };
  return {
    options: {
      ...options,
      ...(source.repeatable ? {} : { retries: 0 }),
      headers: {
        "content-type": "application/octet-stream",
        // Otherwise a stream goes in chunks, and the server learns too late that a body is too long.
        ...(sizeBytes === undefined ? {} : { "content-length": String(sizeBytes) }),
        ...options.headers,
      },
      body: () => {
        if (attemptBytes !== 0) count(-attemptBytes);
        return counted(source.open(startByte, endByte), count);
      },
    },
    finish: () => {
      if (sizeBytes !== undefined && attemptBytes !== sizeBytes) count(sizeBytes - attemptBytes);
    },
  };
}
