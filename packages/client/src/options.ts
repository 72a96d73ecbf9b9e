import { PlatformError } from "@millrace/contract";

export type Fetch = (request: Request) => Promise<Response>;

export interface ClientOptions {
  /**
   * Address of the server, with the path below which it serves, if any. Without it: the page's own origin in a
   * browser, else `http://127.0.0.1:5000`. User and password in it are sent as Basic credentials.
   */
  readonly baseUrl?: string | undefined;
  /** Instead of the global `fetch`; `app.fetch` makes an in-process client. */
  readonly fetch?: Fetch | undefined;
  /** Sent as Bearer token; wins over user and password. */
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Longest silence of the server before a call fails; 120 s by default, 0 waits for ever. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first one, for calls that may be repeated; 5 by default. */
  readonly retries?: number | undefined;
}

export interface Target {
  /** Without a trailing slash. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws PlatformError INVALID_PARAMETER_VALUE for an address that no client can use. */
export function targetOf(options: ClientOptions): Target {
  const given = options.baseUrl ?? defaultBaseUrl(options);
  let url: URL;
  try {
    url = new URL(given);
  } catch (cause) {
    throw unusable(given, cause);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw unusable(given);
  const username = options.username ?? decodeURIComponent(url.username);
  const password = options.password ?? decodeURIComponent(url.password);
  const authorization =
    options.token !== undefined && options.token !== ""
      ? `Bearer ${options.token}`
      : username !== "" || password !== ""
        ? `Basic ${base64(`${username}:${password}`)}`
        : undefined;
  return {
    base: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`,
    headers: { ...(authorization === undefined ? {} : { authorization }), ...options.headers },
  };
}

function defaultBaseUrl(options: ClientOptions): string {
  if (options.fetch !== undefined) return "http://localhost";
  const { location } = globalThis as { location?: { origin?: string } };
  return location?.origin?.startsWith("http") ? location.origin : "http://127.0.0.1:5000";
}

function unusable(given: string, cause?: unknown): PlatformError {
  return new PlatformError(
    "INVALID_PARAMETER_VALUE",
    `'${given}' is no address of a tracking server. Use one like http://127.0.0.1:5000.`,
    { baseUrl: given },
    cause,
  );
}

/** `btoa` takes Latin-1 only; credentials are UTF-8. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
