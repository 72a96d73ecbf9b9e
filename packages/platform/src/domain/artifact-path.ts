import { invalidParameter } from "@millrace/contract";
import type { PlatformError } from "@millrace/contract";

/** How often a path may be percent-encoded over itself; MLflow gives up at the same depth. */
const DECODE_ROUNDS_MAX = 10;

/**
 * The plain, relative, normalised form of an artifact path that came from outside, for reading, listing and
 * deleting. The root is the empty string.
 *
 * The path is percent-decoded until nothing changes, as MLflow does, so it may be given encoded or decoded.
 * Empty and `.` segments fall away; control characters become `%xx`, MLflow's names for them on disk.
 * Throws `INVALID_PARAMETER_VALUE` ("Invalid path") for a `..` segment, an absolute path (POSIX or Windows),
 * a backslash, `#`, NUL, a lone surrogate, a `file:` URI, or encoding that does not end.
 */
export function checkArtifactPath(raw: string): string {
  const path = checkedSegments(raw)
    .filter((segment) => segment !== "" && segment !== ".")
    .join("/");
  // `./file:x` must not become `file:x`.
  refuseOtherRoots(path, raw);
  return path;
}

/**
 * The same for a path to write to. It must name a file: no trailing slash, no `.` segment, and no empty one
 * but right before the name (`a//b` is written to `a/b`; MLflow takes that one case, too).
 */
export function checkArtifactUploadPath(raw: string): string {
  const segments = checkedSegments(raw);
  const name = segments.at(-1) ?? "";
  const folders = segments.slice(0, -1);
  while (folders.at(-1) === "") folders.pop();
  if (name === "") {
    throw invalidPath(raw, "it must end with a file name, not with '/'");
  }
  if ([...folders, name].some((segment) => segment === "" || segment === ".")) {
    throw invalidPath(raw, "it has an empty or '.' segment");
  }
  return [...folders, name].join("/");
}

/**
 * Splits a plain path (not decoded again) that a store was given, and refuses what could leave the root.
 * This is the store's own guard: it holds even for a caller that forgot `checkArtifactPath`.
 */
export function artifactPathSegments(path: string): string[] {
  const segments = path.split("/");
  if (path.startsWith("/")) throw invalidPath(path, "it is absolute");
  if (segments.includes("..")) throw invalidPath(path, "it has a '..' segment");
  if (path.includes("\0")) throw invalidPath(path, "it holds a NUL");
  if (!path.isWellFormed()) throw invalidPath(path, "it holds a lone surrogate");
  return segments.filter((segment) => segment !== "" && segment !== ".");
}

/** The error for a path that is refused; every message starts with the fragment that scripts look for. */
export function invalidPath(path: string, reason: string): PlatformError {
  return invalidParameter(
    `Invalid path: '${printable(path)}' cannot name an artifact: ${reason}. ` +
      "Give a relative path with '/' between its parts.",
    { path: printable(path) },
  );
}

function checkedSegments(raw: string): string[] {
  const path = decodeFully(raw);
  if (path === undefined) throw invalidPath(raw, "it is percent-encoded too many times over");
  if (path.includes("\0")) throw invalidPath(raw, "it holds a NUL");
  if (path.includes("#")) throw invalidPath(raw, "it holds a '#'");
  if (path.includes("\\")) throw invalidPath(raw, "it holds a backslash");
  refuseOtherRoots(path, raw);
  const segments = path.split("/");
  artifactPathSegments(path);
  return segments.map(escapeControls);
}

function refuseOtherRoots(path: string, raw: string): void {
  if (/^file:/i.test(path)) throw invalidPath(raw, "it is a file: URI");
  if (/^[a-z]:\//i.test(path)) throw invalidPath(raw, "it is absolute");
}

/** Undefined when the text still changes after the last round. */
function decodeFully(text: string): string | undefined {
  let current = text;
  for (let round = 0; round <= DECODE_ROUNDS_MAX; round += 1) {
    const decoded = percentDecode(current);
    if (decoded === current) return current;
    current = decoded;
  }
  return undefined;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes runs of `%xx` as UTF-8; what is no such escape stays (`100%.txt`). Bytes that are no UTF-8 become
 * U+FFFD, as in Python's `unquote`, where `decodeURIComponent` would throw.
 */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = new Uint8Array(run.length / 3);
    for (let i = 0; i < bytes.length; i += 1) {
      bytes[i] = Number.parseInt(run.slice(i * 3 + 1, i * 3 + 3), 16);
    }
    return utf8.decode(bytes);
  });
}

function escapeControls(segment: string): string {
  return segment.replace(
    /[\u0001-\u001f\u007f]/g,
    (control) => `%${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** For messages: no control characters, at most 200 characters. */
function printable(path: string): string {
  const clean = path.replace(/[\0-\u001f\u007f]/g, "\u{fffd}").toWellFormed();
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
