import { type Endpoint, invalidParameter } from "@millrace/contract";

const prefixOf = { both: "/api", ajax: "/ajax-api", plain: "" } as const;

type Fields = Readonly<Record<string, unknown>>;

export interface Addressed {
  readonly method: string;
  /** Path and query, to be put behind the base URL. */
  readonly target: string;
  /** JSON text, for endpoints that take a JSON body. */
  readonly json: string | undefined;
}

/** Says where a request goes and what it carries. */
export function addressOf(endpoint: Endpoint, request: object): Addressed {
  const fields = request as Fields;
  const method = endpoint.methods[0]!;
  const inPath = new Set<string>();
  const path = endpoint.path.replace(/\{(\w+)(\.\.\.)?\}/g, (_whole, wire: string, rest?: string) => {
    inPath.add(wire);
    const key = endpoint.request.entries.find((entry) => entry.wire === wire)?.key;
    return pathPart(wire, key === undefined ? undefined : fields[key], rest !== undefined);
  });
  const asQuery = method === "GET" || endpoint.body === "stream";
  const query = asQuery ? queryOf(endpoint, fields, inPath) : "";
  return {
    method,
    target: `${prefixOf[endpoint.family]}${path}${query}`,
    json: asQuery ? undefined : endpoint.request.encode(request),
  };
}

function pathPart(name: string, value: unknown, isRest: boolean): string {
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  const segments = isRest ? text.split("/") : [text];
  // An address tidies "." and ".." away, encoded or not, so the request would reach another resource.
  if (text === "" || segments.some((segment) => segment === "." || segment === "..")) {
    throw invalidParameter(
      `'${text}' cannot be used as ${name}: it must not be empty, nor hold "." or "..".`,
    );
  }
  return segments.map(encodeURIComponent).join("/");
}

function queryOf(endpoint: Endpoint, fields: Fields, inPath: ReadonlySet<string>): string {
  const query = new URLSearchParams();
  for (const { key, wire } of endpoint.request.entries) {
    const value = fields[key];
    if (inPath.has(wire) || value === undefined || value === null) continue;
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value])
      query.append(wire, String(item));
  }
  return query.size === 0 ? "" : `?${query}`;
}
