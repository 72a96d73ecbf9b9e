/** A server of the imagination: answers each request as the test says, and remembers what reached it. */
import type { Fetch } from "./options.ts";

export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

export type Answering = (seen: Seen, count: number) => Response | Promise<Response>;

export function fakeServer(answer: Answering): { readonly fetch: Fetch; readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const fetch: Fetch = async (request) => {
    const one: Seen = {
      method: request.method,
      url: new URL(request.url),
      headers: request.headers,
      body: await request.text(),
    };
    seen.push(one);
    return answer(one, seen.length);
  };
  return { fetch, seen };
}

export function json(value: unknown, init: ResponseInit = {}): Response {
  return new Response(JSON.stringify(value), {
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
}

/** What Node's `fetch` throws when nothing listens. */
export function connectionRefused(): TypeError {
  const cause = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
  return new TypeError("fetch failed", { cause });
}

/** What Node's `fetch` throws when the server closes without an answer. */
export function connectionReset(): TypeError {
  const cause = Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" });
  return new TypeError("fetch failed", { cause });
}

/** Neither waits nor rolls dice. */
export const instantly = { pause: () => Promise.resolve(), random: () => 0 };
