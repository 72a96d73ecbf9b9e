/** Turns a valid request into one that no client of ours would send. */
import { gzipSync, deflateSync } from "node:zlib";
import { Members, places, type JsonLike, Token, writeJson } from "./json-text.ts";
import type { Random } from "./random.ts";
import { anyFilter, anyOrder } from "./search-text.ts";
import type { Draft } from "./seeds.ts";
import type { FuzzRequest } from "./wire.ts";
import type { World } from "./world.ts";

const megabyte = "x".repeat(1_000_000);

const numbers = [
  "0",
  "-0",
  "-1",
  "1.5",
  "1e308",
  "1e309",
  "-1e400",
  "5e-324",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775809",
  "1".repeat(400),
  `0.${"1".repeat(400)}`,
  "1E+2",
  "NaN",
  "Infinity",
  "-Infinity",
  "0x10",
  "01",
  "+1",
  ".5",
  "1.",
  "1n",
];
const texts = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\u{1f600}",
  "e\u0301",
  "\u202e",
  "\ufeff",
  "\r\nX-Injected: 1",
  "../../millrace-fuzz/x",
  "file:///millrace-fuzz/x",
  "a//b",
  "%2e%2e%2f",
  "'; DROP TABLE runs; --",
  "NaN",
  "Infinity",
  "true",
  "null",
  "{}",
  "[]",
  "9223372036854775807",
  "-1",
  "1e5",
  "__proto__",
  "constructor",
  "toString",
  "x".repeat(251),
  "é".repeat(6_001),
  "x".repeat(100_001),
];
const rawStrings = [
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\uZZZZ"',
  '"\\x"',
  '"open',
  '"\t"',
  "'a'",
];

function deep(random: Random): string {
  const depth = random.pick([20, 500, 5_000, 100_000]);
  return random.pick([
    () => "[".repeat(depth) + "]".repeat(depth),
    () => '{"a":'.repeat(depth) + "1" + "}".repeat(depth),
    () => "[".repeat(depth),
  ])();
}

function anyValue(random: Random): JsonLike {
  const kind = random.below(100);
  if (kind < 22) return new Token(random.pick(numbers));
  if (kind < 50) return random.pick(texts);
  if (kind < 58) return new Token(random.pick(rawStrings));
  if (kind < 62) return random.pick([true, false]);
  if (kind < 68) return null;
  if (kind < 76) return [];
  if (kind < 80) return [null, 1, "a", [], new Members([])];
  if (kind < 86) return new Members([]);
  if (kind < 90)
    return new Members([
      ["__proto__", new Members([["polluted", true]])],
      ["constructor", 1],
    ]);
  if (kind < 94) return new Token(deep(random));
  if (kind < 95) return megabyte;
  if (kind < 97)
    return Array.from(
      { length: 1_001 },
      () =>
        new Members([
          ["key", "k"],
          ["value", "v"],
        ]),
    );
  return random.pick([String(random.next()), random.next() * 1e6]);
}

function mutateJson(root: JsonLike, random: Random, world: World): JsonLike {
  if (random.chance(0.03)) return anyValue(random);
  if (random.chance(0.02)) return writeJson(root);
  for (let count = 1 + random.below(3); count > 0; count--) {
    const all = places(root);
    if (all.length === 0) return root;
    const place = random.pick(all);
    if (place.key === "filter" && random.chance(0.9)) place.replace(anyFilter(random));
    else if (place.key === "order_by" && random.chance(0.8))
      place.replace([anyOrder(random), anyOrder(random)]);
    else if (place.key === "page_token" && random.chance(0.8)) place.replace(anyPageToken(random, world));
    else {
      const action = random.below(10);
      if (action === 0) place.remove();
      else if (action === 1) place.double();
      else if (action === 2 && Array.isArray(place.value))
        place.replace(place.value.concat(place.value, place.value));
      else if (action === 3 && root instanceof Members) {
        root.entries.push([camel(place.key), anyValue(random)]);
      } else if (action === 4) place.replace([place.value]);
      else place.replace(anyValue(random));
    }
  }
  // What the search words of a request do depends on them alone, so they get more tries.
  for (const place of places(root)) {
    if (place.key === "filter" && random.chance(0.4)) place.replace(anyFilter(random));
    if (place.key === "order_by" && random.chance(0.2)) place.replace([anyOrder(random)]);
  }
  return root;
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_whole, letter: string) => letter.toUpperCase());
}

function anyPageToken(random: Random, { pageTokens }: World): string {
  const token = pageTokens.length > 0 ? random.pick(pageTokens) : "";
  return random.pick([
    () => token,
    () => token.slice(0, random.below(token.length + 1)),
    () => flip(Buffer.from(token), random).toString("latin1"),
    () => Buffer.from(JSON.stringify({ offset: random.pick([-1, 1e15, "a", null]) })).toString("base64"),
    () => random.bytes(60).toString("base64url"),
    () => "=".repeat(100),
    () => "x".repeat(20_000),
  ])();
}

function flip(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0 && copy.length > 0; count--) {
    copy[random.below(copy.length)] = random.below(256);
  }
  return copy;
}

function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  return random.pick([
    () => flip(bytes, random),
    () => bytes.subarray(0, at),
    () => bytes.subarray(at),
    () => Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(8)), bytes.subarray(at)]),
    () => Buffer.concat([bytes, bytes]),
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
    () => Buffer.from(bytes.toString("utf8"), "utf16le"),
    () => Buffer.concat([bytes, Buffer.from([0xc3, 0x28, 0xed, 0xa0, 0x80, 0xc0, 0xaf, 0xff])]),
    () => Buffer.alloc(0),
    () => Buffer.concat([bytes, Buffer.from(" trailing")]),
  ])();
}

const pathPieces = [
  "/",
  "//",
  "/.",
  "/..",
  "/%2e%2e",
  "%2f..%2f..%2f",
  "%252e%252e%252f",
  "%00",
  "%",
  "%zz",
  "%ff",
  "%c0%af",
  "%ed%a0%80",
  "\\..\\",
  "%5c",
  ";a=b",
  "%23",
  "%3f",
  "%0d%0aX:1",
  "/millrace-fuzz/x",
  "/C:/x",
  "中",
  "a".repeat(3_000),
  "/a".repeat(2_000),
  "/%2e".repeat(500),
  "%25".repeat(30),
  "{run_id}",
  "*",
];

function mutatePath(path: string, random: Random): string {
  const at = random.below(path.length + 1);
  const piece = random.pick(pathPieces);
  return random.pick([
    () => path.slice(0, at) + piece + path.slice(at),
    () => path + piece,
    () => path.slice(0, at),
    () => path.replace(/[^/]+$/, () => piece),
    () => path.replaceAll("/", "//"),
    () => `http://127.0.0.1${path}`,
    () => path.replace(/[^/]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`),
    () => path.toUpperCase(),
    () => path.replace("/api/2.0", "/api/3.0"),
  ])();
}

function mutateQuery(query: [string, string][], random: Random, world: World): [string, string][] {
  if (query.length === 0 || random.chance(0.15))
    return [...query, [random.pick(["run_id", "path", "x", "__proto__", ""]), random.pick(texts)]];
  const index = random.below(query.length);
  return query.flatMap(([key, value], position): [string, string][] => {
    if (position !== index) return [[key, value]];
    if (key === "filter" && random.chance(0.9)) return [[key, anyFilter(random)]];
    if (key === "order_by" && random.chance(0.8)) return [[key, anyOrder(random)]];
    if (key === "page_token") return [[key, anyPageToken(random, world)]];
    switch (random.below(6)) {
      case 0:
        return [];
      case 1:
        return [
          [key, value],
          [key, random.pick(texts)],
        ];
      case 2:
        return [
          [camel(key), value],
          [key, value],
        ];
      case 3:
        return [
          [`${key}[]`, value],
          [key, random.pick(numbers)],
        ];
      case 4:
        return [[key, random.pick(numbers)]];
      default:
        return [[key, random.pick(texts)]];
    }
  });
}

const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
const manyRows = gzipSync(
  `{"metrics":[${'{"key":"a","value":1,"timestamp":1,"step":1},'.repeat(20_000)}null]}`,
);

function mutateHeaders(draft: Draft, random: Random): Buffer | undefined {
  const { headers } = draft;
  const set = (name: string, value: string): void => {
    draft.headers = headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
    if (value !== "-") draft.headers.push([name, value]);
  };
  switch (random.below(12)) {
    case 0:
      set(
        "Content-Type",
        random.pick([
          "-",
          "",
          "text/plain",
          "application/json; charset=latin1",
          "application/x-protobuf",
          "multipart/form-data; boundary=x",
          "a".repeat(9_000),
          "application/json,application/json",
        ]),
      );
      return undefined;
    case 1:
      set(
        "Content-Encoding",
        random.pick(["gzip", "deflate", "br", "identity", "gzip, gzip", "x-gzip", "", "a".repeat(500)]),
      );
      return undefined;
    case 2:
      set("Content-Encoding", "gzip");
      return random.chance(0.15) ? random.pick([bomb, manyRows]) : undefined;
    case 3:
      set(
        "Host",
        random.pick([
          "evil.example",
          "",
          "127.0.0.1:99999",
          "[::1",
          "localhost\u00e9",
          "a".repeat(5_000),
          "127.0.0.1, evil.example",
          "10.0.0.1",
        ]),
      );
      return undefined;
    case 4:
      set(
        "Origin",
        random.pick([
          "http://evil.example",
          "null",
          "http://localhost:3000",
          "",
          "http://127.0.0.1.evil.example",
          "a".repeat(5_000),
        ]),
      );
      return undefined;
    case 5:
      set(
        "Range",
        random.pick([
          "bytes=0-0",
          "bytes=5-1",
          "bytes=-0",
          "bytes=-5",
          "bytes=99999999999999999999-",
          "bytes=0-1,3-4",
          "bytes=a-b",
          "rows=1-2",
          "",
          `bytes=${"0-1,".repeat(1_000)}`,
        ]),
      );
      return undefined;
    case 6:
      set("X-MLFLOW-WORKSPACE", random.pick(["default", "", "other", "a".repeat(3_000), "\u00ff", "../x"]));
      return undefined;
    case 7:
      set("If-None-Match", random.pick(["*", '"x"', "W/", "a".repeat(1_000)]));
      return undefined;
    case 8:
      set("Authorization", random.pick(["Basic !!!", "Basic", "Bearer x", "a".repeat(9_000)]));
      return undefined;
    case 9:
      set("Expect", random.pick(["100-continue", "200-ok", ""]));
      return undefined;
    case 10:
      set("Access-Control-Request-Method", "POST");
      set("X-Request-Id", random.pick(["a", "", "\u00ff", "a b", "x".repeat(5_000)]));
      return undefined;
    default:
      for (let count = random.pick([1, 50, 1_500]); count > 0; count--) headers.push([`X-${count}`, "v"]);
      return undefined;
  }
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE"];

function encodePath(path: string): string {
  return path.replace(/[^\u0021-\u007e]/g, (character) => encodeURIComponent(character.toWellFormed()));
}

function encodeQuery(query: readonly (readonly [string, string])[]): string {
  return new URLSearchParams(query.map(([key, value]) => [key, value.toWellFormed()])).toString();
}

/** Breaks the framing or the head itself; the server may close the connection. */
function malform(request: FuzzRequest, random: Random): FuzzRequest {
  const length = request.body?.length ?? 0;
  const own = (...headers: [string, string][]): FuzzRequest => ({
    ...request,
    headers: [...request.headers, ...headers],
    framing: "own",
    malformed: true,
  });
  const line = `${request.method} ${request.target} HTTP/1.1`;
  const head = `${line}\r\n${request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}`;
  const withHead = (text: string): FuzzRequest => ({
    ...request,
    head: text,
    framing: "own",
    malformed: true,
  });
  return random.pick([
    () => own(["Content-Length", String(length + 1 + random.below(500))]),
    () => own(["Content-Length", String(random.below(length + 1))]),
    () =>
      own(["Content-Length", random.pick(["-1", "abc", "1e3", "18446744073709551616", " ", "0x5", "5, 5"])]),
    () => own(["Content-Length", String(length)], ["Content-Length", String(length + 3)]),
    () => own(["Content-Length", String(length)], ["Transfer-Encoding", "chunked"]),
    () =>
      own([
        "Transfer-Encoding",
        random.pick(["chunked", "gzip, chunked", "chunked, chunked", "xchunked", "identity", " chunked "]),
      ]),
    () => own(["Content-Length", String(70 * 1024 * 1024)]),
    () => withHead(`${head}Content-Length: ${length}\n\n`),
    () => withHead(`${head} folded: a\r\n\r\n`),
    () => withHead(`${head}Bad Header: a\r\n\r\n`),
    () => withHead(`${head}X: a\u0000b\r\n\r\n`),
    () => withHead(head),
    () =>
      withHead(
        `${head.replace("HTTP/1.1", random.pick(["HTTP/9.9", "HTTP/1.0", "HTTP/2.0", "", "http/1.1"]))}\r\n`,
      ),
    () =>
      withHead(
        `${random.pick(["", "G", "FOO", "get", "PRI", "GET\tx"])} ${head.slice(head.indexOf(" ") + 1)}\r\n`,
      ),
    () => withHead(`${head.replace(request.target, `${request.target} x y`)}\r\n`),
    () =>
      withHead(
        `${head}Content-Length: ${length}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n`,
      ),
    () => withHead(`${head}X-Long: ${"a".repeat(200_000)}\r\n\r\n`),
    () => withHead(flip(Buffer.from(`${head}\r\n`), random).toString("latin1")),
    () => withHead(random.bytes(200).toString("latin1")),
  ])();
}

/** One request, from nearly right to hopeless. */
export function mutate(draft: Draft, random: Random, world: World): FuzzRequest {
  let body: Buffer | undefined = draft.bytes;
  let { path } = draft;
  if (draft.json !== undefined) {
    if (random.chance(0.85)) draft.json = mutateJson(draft.json, random, world);
    body = Buffer.from(writeJson(draft.json));
    if (random.chance(0.12)) body = mutateBytes(body, random);
    if (random.chance(0.03)) body = megabyteBody(body);
  } else if (body !== undefined && random.chance(0.2)) {
    body = random.pick([Buffer.alloc(0), Buffer.from(megabyte), random.bytes(5_000)]);
  }
  const rarely = draft.json === undefined ? 0.35 : 0.08;
  if (random.chance(rarely)) path = mutatePath(path, random);
  if (random.chance(draft.query.length > 0 ? 0.8 : rarely / 2))
    draft.query = mutateQuery(draft.query, random, world);
  let compressed: Buffer | undefined;
  if (random.chance(0.15)) compressed = mutateHeaders(draft, random);
  if (compressed !== undefined && body !== undefined) body = compressed;
  else if (body !== undefined && random.chance(0.03)) {
    draft.headers.push(["Content-Encoding", random.pick(["gzip", "deflate"])]);
    const zip = random.pick([gzipSync, deflateSync])(body);
    body = random.chance(0.5) ? zip : mutateBytes(zip, random);
  }
  const method = random.chance(0.05) ? random.pick(methods) : draft.method;
  const hasQuery = path.includes("?");
  const query = encodeQuery(draft.query);
  const target = encodePath(path) + (query === "" ? "" : (hasQuery ? "&" : "?") + query);
  const host: [string, string][] = draft.headers.some(([name]) => name === "Host")
    ? []
    : [["Host", "127.0.0.1"]];
  const headers = [...host, ...draft.headers].map(([name, value]): [string, string] => [
    name,
    value.replace(/[\r\n\0]/g, " "),
  ]);
  const request: FuzzRequest = {
    method,
    // Longer than the server's limit on heads is a case of its own.
    target: target.startsWith("/") || target.startsWith("http") ? target : `/${target}`,
    headers,
    body,
    framing: random.chance(0.05) ? "chunked" : "length",
    malformed: target.length > 100_000,
  };
  return random.chance(0.06) ? malform(request, random) : request;
}

function megabyteBody(body: Buffer): Buffer {
  return Buffer.concat([body.subarray(0, -1), Buffer.from(`,"padding":"${megabyte}"}`)]);
}
