import { invalidParameter } from "@millrace/contract";
import { percentDecode } from "./artifact-path.ts";

/** The parts of an address, none decoded. `scheme` is in lower case; "" for a plain path. */
export interface UriParts {
  readonly scheme: string;
  /** Between `//` and the path; undefined when there is no `//`. */
  readonly authority: string | undefined;
  readonly path: string;
  /** After `;` in the last segment, of the schemes that have parameters (http, ftp and kin, plain paths). */
  readonly params: string;
  readonly query: string;
  readonly fragment: string;
}

/** The schemes in whose paths Python's `urlparse` looks for parameters. */
const SCHEMES_WITH_PARAMS = new Set(
  ["", "ftp", "hdl", "prospero", "http", "https", "shttp", "rtsp", "rtsps", "rtspu"].concat([
    "sip",
    "sips",
    "mms",
    "sftp",
    "tel",
  ]),
);

/** Where the proxy's own addresses begin; what follows is the path in the store. */
const PROXY_ROUTE = "/api/2.0/mlflow-artifacts/artifacts/";

/**
 * Splits an address as clients in Python do, control characters and blanks that they ignore included: a
 * check must see the scheme that they see.
 */
export function splitUri(uri: string): UriParts {
  const text = uri.replace(/^[\0-\u0020]+/, "").replace(/[\t\r\n]/g, "");
  const schemeMatch = /^([a-z][a-z0-9+.-]*):/i.exec(text);
  const scheme = schemeMatch?.[1]?.toLowerCase() ?? "";
  let rest = schemeMatch === null ? text : text.slice(schemeMatch[0].length);
  const cut = (mark: string): string => {
    const at = rest.indexOf(mark);
    if (at < 0) return "";
    const tail = rest.slice(at + 1);
    rest = rest.slice(0, at);
    return tail;
  };
  const fragment = cut("#");
  const query = cut("?");
  let authority: string | undefined;
  if (rest.startsWith("//")) {
    const slash = rest.indexOf("/", 2);
    authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? "" : rest.slice(slash);
  }
  let params = "";
  if (SCHEMES_WITH_PARAMS.has(scheme)) {
    const at = rest.indexOf(";", rest.lastIndexOf("/") + 1);
    if (at >= 0) {
      params = rest.slice(at + 1);
      rest = rest.slice(0, at);
    }
  }
  return { scheme, authority, path: rest, params, query, fragment };
}

/**
 * The scheme of an address in lower case, or "" for a plain path. A single letter before the colon is a
 * Windows drive, not a scheme, as MLflow has it.
 */
export function uriScheme(uri: string): string {
  const { scheme } = splitUri(uri);
  return scheme.length === 1 ? "" : scheme;
}

/**
 * The path that a plain path or a `file:` URI names on this machine; undefined for other schemes and for
 * `file://host/…` of another host. A URI is percent-decoded, a plain path is taken as it is.
 */
export function localPathOf(uri: string): string | undefined {
  const { scheme, authority = "", path } = splitUri(uri);
  if (scheme === "" || scheme.length === 1) return uri;
  if (scheme !== "file" || !isThisHost(authority)) return undefined;
  return percentDecode(path) || "/";
}

/** Joins with exactly one slash; an absolute suffix is appended, not taken instead. */
export function joinPaths(prefix: string, suffix: string): string {
  if (prefix === "") return suffix;
  const relative = suffix.replace(/^\/+/, "");
  return prefix.endsWith("/") ? prefix + relative : `${prefix}/${relative}`;
}

/**
 * Appends paths to the path component of an address: `s3://b/p?x=1` and `a` give `s3://b/p/a?x=1`.
 * Throws `INVALID_PARAMETER_VALUE` when the query holds `..`, which some stores would resolve.
 */
export function appendToUri(uri: string, ...paths: readonly string[]): string {
  const suffix = paths.reduce(joinPaths, "");
  const { scheme, authority, path, params, query, fragment } = splitUri(uri);
  checkQuery(query, uri);
  if (scheme === "") return joinPaths(uri, suffix);
  // A bare `file:/a` is written with an empty authority, as clients in Python write it.
  const host = authority ?? (scheme === "file" && path.startsWith("/") ? "" : undefined);
  let joined = joinPaths(path, suffix);
  if (host !== undefined && !joined.startsWith("/")) joined = `/${joined}`;
  return (
    `${scheme}:${host === undefined ? "" : `//${host}`}${joined}` +
    (params && `;${params}`) +
    (query && `?${query}`) +
    (fragment && `#${fragment}`)
  );
}

/**
 * The path within the proxied store that an artifact address means: of `mlflow-artifacts:/p`,
 * `mlflow-artifacts://host/p`, and http(s) addresses of the proxy. Undefined for an address that is not
 * proxied. The result still needs `checkArtifactPath`.
 */
export function proxiedArtifactPath(uri: string): string | undefined {
  const { scheme, path } = splitUri(uri);
  if (scheme === "mlflow-artifacts") return path.replace(/^\/+/, "");
  if (scheme !== "http" && scheme !== "https") return undefined;
  const at = path.indexOf(PROXY_ROUTE);
  return at < 0 ? undefined : path.slice(at + PROXY_ROUTE.length).replace(/^\/+/, "");
}

/** Whether `uri` is `root` or lies below it: same scheme and host, and segments that begin alike. */
export function isUriWithin(uri: string, root: string): boolean {
  const a = comparable(uri);
  const b = comparable(root);
  return (
    a.scheme === b.scheme &&
    a.authority === b.authority &&
    b.segments.length > 0 &&
    b.segments.every((segment, index) => segment === a.segments[index])
  );
}

/** Whether the address is one of an artifact proxy, of this server or of another. */
export function isProxyUri(uri: string): boolean {
  const { scheme, segments } = comparable(uri);
  if (scheme === "mlflow-artifacts") return true;
  const route = PROXY_ROUTE.slice(1, -1).split("/");
  return (
    (scheme === "http" || scheme === "https") &&
    segments.some((_, at) => route.every((part, offset) => segments[at + offset] === part))
  );
}

/** Resolves `.` and `..` and doubled slashes of a POSIX path, without looking at the disk. */
export function normalisePosixPath(path: string, workingDirectory: string): string {
  const absolute = path.startsWith("/") ? path : `${workingDirectory}/${path}`;
  const segments: string[] = [];
  for (const segment of absolute.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

/** Decodes until nothing changes. Ends, because every round makes the text shorter. */
export function percentDecodeFully(text: string): string {
  for (let current = text; ;) {
    const decoded = percentDecode(current);
    if (decoded === current) return current;
    current = decoded;
  }
}

/** A query must not climb: a path appended before it could be resolved together with it. */
export function checkQuery(query: string, uri: string): void {
  if (!percentDecodeFully(query).includes("..")) return;
  throw invalidParameter(
    `Invalid query string in '${uri}': it must not hold '..'. Remove it from the address.`,
    { uri },
  );
}

export function isThisHost(authority: string): boolean {
  const host = authority.replace(/^.*@/, "").replace(/:\d*$/, "").toLowerCase();
  return host === "" || host === "." || host.startsWith("localhost") || host.startsWith("127.0.0.1");
}

function comparable(uri: string) {
  const { scheme, authority = "", path } = splitUri(uri);
  return {
    scheme,
    authority: authority.toLowerCase(),
    segments: path
      .split("/")
      .filter((segment) => segment !== "")
      .map(percentDecodeFully),
  };
}
