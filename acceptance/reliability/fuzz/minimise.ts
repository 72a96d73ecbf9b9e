/** Makes a failing request smaller while it still fails, and shows it so that it can be sent by hand. */
import type { FuzzRequest } from "./wire.ts";

const ATTEMPTS_MAX = 300;

/** `fails` sends a request and says whether it fails in the same way. */
export async function minimise(
  request: FuzzRequest,
  fails: (request: FuzzRequest) => Promise<boolean>,
): Promise<FuzzRequest> {
  let smallest = request;
  let attempts = 0;
  const attempt = async (candidate: FuzzRequest): Promise<boolean> => {
    if (attempts++ >= ATTEMPTS_MAX || !(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  if (request.head === undefined) {
    for (const header of request.headers.toReversed()) {
      await attempt({ ...smallest, headers: smallest.headers.filter((other) => other !== header) });
    }
    const mark = request.target.indexOf("?");
    if (mark !== -1) {
      for (const pair of request.target.slice(mark + 1).split("&")) {
        const pairs = smallest.target
          .slice(mark + 1)
          .split("&")
          .filter((other) => other !== pair);
        await attempt({ ...smallest, target: `${smallest.target.slice(0, mark)}?${pairs.join("&")}` });
      }
    }
    if (smallest.framing === "chunked") await attempt({ ...smallest, framing: "length" });
  }
  // Cut ever smaller pieces out of the body.
  for (let size = (smallest.body?.length ?? 0) >> 1; size >= 1 && attempts < ATTEMPTS_MAX; size >>= 1) {
    for (let at = 0; at < (smallest.body?.length ?? 0) && attempts < ATTEMPTS_MAX;) {
      const body = smallest.body!;
      const cut = await attempt({
        ...smallest,
        body: Buffer.concat([body.subarray(0, at), body.subarray(at + size)]),
      });
      if (!cut) at += size;
    }
  }
  return smallest;
}

const SHOWN_BYTES = 600;

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command that sends the request; for broken framing the bytes themselves. */
export function asCommand(request: FuzzRequest, url: string): string {
  const { method, target, headers, body, head } = request;
  const cut = body !== undefined && body.length > SHOWN_BYTES ? ` # body cut, ${body.length} bytes` : "";
  const shown = body?.subarray(0, SHOWN_BYTES);
  if (head !== undefined || request.framing === "own") {
    const bytes =
      head ??
      `${method} ${target} HTTP/1.1\r\n${headers.map((pair) => pair.join(": ")).join("\r\n")}\r\n\r\n`;
    return `printf %b ${quote(JSON.stringify(bytes.slice(0, SHOWN_BYTES) + (shown?.toString("latin1") ?? "")))} | nc ${new URL(url).host.replace(":", " ")}${cut}`;
  }
  const isText = shown === undefined || !/[^\t\n\r -~]/.test(shown.toString("latin1"));
  const data =
    shown === undefined || shown.length === 0
      ? ""
      : isText
        ? ` --data-binary ${quote(shown.toString())}`
        : ` --data-binary @<(echo ${shown.toString("base64")} | base64 -d)`;
  return `curl -i --path-as-is -X ${method}${headers.map((pair) => ` -H ${quote(pair.join(": "))}`).join("")}${data} ${quote(url + target.slice(0, SHOWN_BYTES))}${cut}`;
}
