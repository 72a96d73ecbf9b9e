import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ResponseParser } from "./response-parser.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

function parse(bytes: Buffer, cuts: readonly number[]): Answer[] {
  const answers: Answer[] = [];
  const parser = new ResponseParser(({ status, body }) => answers.push({ status, text: body.toString() }));
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  // One buffer reused for every read, as the socket does it.
  const shared = Buffer.alloc(bytes.length);
  for (let i = 1; i < edges.length; i++) {
    const length = bytes.copy(shared, 0, edges[i - 1], edges[i]);
    parser.feed(shared.subarray(0, length));
  }
  return answers;
}

const stream = Buffer.from(
  [
    "HTTP/1.1 200 OK\r\nDate: x\r\ncontent-length: 2\r\n\r\n{}",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=1\r\n, world 12\r\n0\r\nT: 1\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate",
  ].join(""),
);
const expected: Answer[] = [
  { status: 200, text: "{}" },
  { status: 404, text: "" },
  { status: 200, text: "hello, world 12" },
  { status: 204, text: "" },
  { status: 503, text: "late" },
];

test("reads the same answers wherever the stream is cut", () => {
  const cut = fc.integer({ min: 0, max: stream.length });
  fc.assert(
    fc.property(fc.array(cut, { maxLength: 12 }), (cuts) => {
      expect(parse(stream, cuts)).toEqual(expected);
    }),
  );
  expect(
    parse(
      stream,
      Array.from(stream, (_, i) => i),
    ),
  ).toEqual(expected);
});

test("a sink receives the body's bytes in order and the answer stays empty", () => {
  const received: string[] = [];
  const answers: Answer[] = [];
  const parser = new ResponseParser(({ status, body }) => answers.push({ status, text: body.toString() }));
  parser.sink = (bytes) => received.push(bytes.toString());
  parser.feed(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab"));
  parser.feed(Buffer.from("cdef"));
  expect(received.join("")).toBe("abcdef");
  expect(answers).toEqual([{ status: 200, text: "" }]);
});

test.each(["SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"])(
  "refuses %j",
  (text) => {
    expect(() => parse(Buffer.from(text), [])).toThrow(/Expected an HTTP|neither Content-Length/);
  },
);
