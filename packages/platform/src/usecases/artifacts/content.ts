/** Sending the bytes of an artifact, so that no user's file ever runs in our origin. */
import { PlatformError } from "@millrace/contract";
import { lookup } from "mrmime";
import type { ArtifactStore, RangeRequest } from "../../artifacts/store.ts";
import type { RawAnswer, RawRequest } from "../handler.ts";

/** Types that a browser may show; everything textual is plain text. */
function contentType(path: string): string {
  const type = lookup(path) ?? "application/octet-stream";
  if (/^(text\/|application\/(json|javascript|xml|yaml|toml|x-ndjson|ld\+json|.*\+xml|.*\+json))/.test(type))
    return "text/plain";
  if (/\.(ya?ml|log|cfg|conf|ini|py|r|sh|ts|jsonl|mlproject|env|md)$|(^|\/)(MLmodel|MLproject)$/i.test(path))
    return "text/plain";
  return type;
}

/** `attachment` with the name in ASCII and, where that loses something, in UTF-8 (RFC 6266, RFC 8187). */
export function contentDisposition(name: string): string {
  const ascii =
    name
      .normalize("NFKD")
      .replace(/[^\u0020-\u007e]/g, "")
      .replace(/["\\]/g, "_") || "download";
  const quoted = /^[\w.!#$&+^`|~-]+$/.test(ascii) ? ascii : `"${ascii}"`;
  if (ascii === name) return `attachment; filename=${quoted}`;
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename=${quoted}; filename*=UTF-8''${encoded}`;
}

/** One range; several, or a header that makes no sense, count as none, which HTTP allows. */
export function parseRange(header: string | undefined): RangeRequest | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (found === null) return undefined;
  const [, first = "", last = ""] = found;
  if (first === "") return last === "" ? undefined : { last: Number(last) };
  if (last === "") return { start: Number(first) };
  return Number(last) < Number(first) ? undefined : { start: Number(first), endInclusive: Number(last) };
}

/** @throws PlatformError RESOURCE_DOES_NOT_EXIST, or INVALID_PARAMETER_VALUE for a directory */
export async function sendArtifact(store: ArtifactStore, path: string, raw: RawRequest): Promise<RawAnswer> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const range = parseRange(raw.headers["range"]);
  const headers: Record<string, string> = {
    "Content-Type": contentType(path),
    "Content-Disposition": contentDisposition(name),
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Accept-Ranges": "bytes",
  };
  try {
    const file = await store.read(path, range, { reuseChunks: true });
    headers["Content-Length"] = String(file.lengthBytes);
    headers["ETag"] = `"${file.etag}"`;
    headers["Last-Modified"] = new Date(file.modifiedAtMs).toUTCString();
    if (range !== undefined && file.sizeBytes > 0) {
      headers["Content-Range"] = `bytes ${file.start}-${file.start + file.lengthBytes - 1}/${file.sizeBytes}`;
      return { status: 206, headers, body: file.body };
    }
    return { headers, body: file.body };
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== "RANGE_NOT_SATISFIABLE") throw error;
    return {
      status: 416,
      headers: { "Content-Range": `bytes */${String(error.details["sizeBytes"])}` },
      body: "",
    };
  }
}
