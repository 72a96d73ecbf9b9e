const apiPrefix = "/api/2.0/mlflow/";

/** The bytes of one HTTP/1.1 request, built once and sent many times. */
export function httpRequest(
  method: string,
  path: string,
  body?: string | Buffer,
  contentType?: string,
): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body) : (body ?? Buffer.alloc(0));
  return Buffer.concat([
    requestHead(method, path, body === undefined ? 0 : bytes.length, contentType),
    bytes,
  ]);
}

/** The head of a request whose body follows by itself. */
export function requestHead(
  method: string,
  path: string,
  bodyBytes: number,
  contentType = "application/json",
): Buffer {
  const entity =
    method === "GET" ? "" : `Content-Type: ${contentType}\r\nContent-Length: ${String(bodyBytes)}\r\n`;
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: mlflow-python-client/3.17.2\r\n` +
      `Accept: */*\r\nConnection: keep-alive\r\n${entity}\r\n`,
  );
}

/** A POST of JSON to an endpoint of the tracking API, named as in `runs/log-metric`. */
export function apiPost(endpoint: string, body: unknown): Buffer {
  return httpRequest("POST", apiPrefix + endpoint, JSON.stringify(body));
}

/** A GET of an endpoint; arrays become repeated keys. */
export function apiGet(
  endpoint: string,
  query: Readonly<Record<string, string | number | readonly string[]>>,
): Buffer {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (typeof value === "object") for (const item of value) search.append(key, item);
    else search.append(key, String(value));
  }
  return httpRequest("GET", `${apiPrefix}${endpoint}?${search.toString()}`);
}

/**
 * A request with fixed-width holes that are filled in place: building a fresh 90 KB body for every batch would
 * cost the generator as much as the server spends on reading it. Holes are written in the text as a run of one
 * marker character, as wide as the value.
 */
export class RequestTemplate {
  readonly bytes: Buffer;
  readonly #holes: ReadonlyMap<string, { readonly offsets: Uint32Array; readonly width: number }>;

  constructor(request: Buffer, markers: Readonly<Record<string, string>>) {
    this.bytes = Buffer.from(request);
    this.#holes = new Map(
      Object.entries(markers).map(([name, marker]) => {
        const offsets: number[] = [];
        for (let at = request.indexOf(marker); at >= 0; at = request.indexOf(marker, at + marker.length))
          offsets.push(at);
        if (offsets.length === 0) throw new Error(`The request has no hole ${marker}.`);
        return [name, { offsets: Uint32Array.from(offsets), width: marker.length }];
      }),
    );
  }

  /** How many times the hole occurs. */
  count(name: string): number {
    return this.#hole(name).offsets.length;
  }

  /** Writes the same text into every occurrence. */
  fill(name: string, text: string): void {
    const { offsets, width } = this.#hole(name);
    if (text.length !== width)
      throw new Error(`The hole ${name} is ${String(width)} wide, not ${String(text.length)}.`);
    for (const offset of offsets) this.bytes.write(text, offset, "latin1");
  }

  /** Writes one number per occurrence; every number must have exactly the width of the hole. */
  fillNumbers(name: string, valueOf: (occurrence: number) => number): void {
    const { offsets, width } = this.#hole(name);
    for (let i = 0; i < offsets.length; i++) {
      let rest = valueOf(i);
      const start = offsets[i] ?? 0;
      for (let at = start + width - 1; at >= start; at--) {
        const tenth = Math.floor(rest / 10);
        this.bytes[at] = 48 + (rest - tenth * 10);
        rest = tenth;
      }
      if (rest !== 0 || this.bytes[start] === 48)
        throw new Error(`${String(valueOf(i))} does not have ${String(width)} digits.`);
    }
  }

  #hole(name: string): { readonly offsets: Uint32Array; readonly width: number } {
    const hole = this.#holes.get(name);
    if (hole === undefined) throw new Error(`The template has no hole ${name}.`);
    return hole;
  }
}
