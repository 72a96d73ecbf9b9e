/**
 * Who may ask: the Host header (against DNS rebinding), the Origin of state-changing requests (against foreign web
 * pages), and the token. The rules are those of MLflow 3.17's server, so that whoever runs it can change over;
 * a page that this server delivered itself may also call it, under whatever allowed name it was reached.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { endpoints, PlatformError } from "@millrace/contract";
import type { Options } from "../options.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";
import { allowHeader, notFound, text } from "./respond.ts";

export type SecurityOptions = Pick<
  Options,
  "allowedHosts" | "corsAllowedOrigins" | "disableSecurityMiddleware" | "xFrameOptions" | "token"
>;

export interface Security {
  /** An answer that refuses the request, or undefined when it may go on. Throws when the token is wrong. */
  check(request: HttpRequest, path: string): HttpResponse | undefined;
  /** Answers OPTIONS for an address that answers to `methods`. */
  options(request: HttpRequest, methods: readonly string[]): HttpResponse;
  /** Adds what every answer carries. */
  addHeaders(headers: string[], request: HttpRequest): void;
}

const preflightMethods = "GET, POST, PUT, DELETE, OPTIONS, PATCH";
const loopbackOrigin = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const loopbackHosts = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"];
const defaultHosts: readonly string[] = [
  ...loopbackHosts,
  ...loopbackHosts.map((host) => `${host}:*`),
  "192.168.*",
  "10.*",
  ...Array.from({ length: 16 }, (_unused, index) => `172.${16 + index}.*`),
  "fc00:*",
  "fd00:*",
];

/** Beginnings of the addresses that carry a signature, which their use-cases check. */
const signedPaths = Object.values(endpoints)
  .filter(({ signed }) => signed)
  .map(({ path }) => `/api${path.slice(0, path.indexOf("{"))}`);

export function createSecurity(options: SecurityOptions): Security {
  const enabled = !options.disableSecurityMiddleware;
  const hosts = options.allowedHosts.length > 0 ? options.allowedHosts : defaultHosts;
  const anyHost = hosts.includes("*");
  const anyOrigin = options.corsAllowedOrigins.includes("*");
  const hostMatches = matcher(hosts);
  const originMatches = matcher(options.corsAllowedOrigins);
  const frames = options.xFrameOptions === "NONE" ? undefined : options.xFrameOptions;
  const fixedHeaders = ["X-Content-Type-Options", "nosniff"];
  if (enabled && frames !== undefined) fixedHeaders.push("X-Frame-Options", frames);
  if (enabled) fixedHeaders.push("Vary", "Origin");
  const tokenMatches = options.token === undefined ? undefined : tokenCheck(options.token);
  // Clients name the same few hosts all the time; a bounded memory saves matching the patterns.
  const goodHosts = new Set<string>();

  function hostAllowed(host: string | undefined): boolean {
    if (anyHost) return true;
    if (host === undefined) return false;
    if (goodHosts.has(host)) return true;
    if (!hostMatches(host)) return false;
    if (goodHosts.size < 64) goodHosts.add(host);
    return true;
  }

  function originAllowed(origin: string, host: string | undefined): boolean {
    if (anyOrigin || loopbackOrigin.test(origin) || originMatches(origin)) return true;
    // The page came from this server: the origin is the address that was asked. Only where hosts are checked,
    // because otherwise a rebound name would be its own witness.
    return !anyHost && host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
  }

  function preflight(origin: string, request: HttpRequest): HttpResponse {
    const allowed = originAllowed(origin, request.headers["host"]);
    const headers = ["Access-Control-Allow-Methods", preflightMethods, "Access-Control-Max-Age", "600"];
    const asked = request.headers["access-control-request-headers"];
    if (asked !== undefined && allowed) headers.push("Access-Control-Allow-Headers", asked);
    return allowed ? text(200, "OK", headers) : text(400, "Disallowed CORS origin", headers);
  }

  return {
    check(request, path) {
      const { headers, method } = request;
      if (enabled) {
        if (!hostAllowed(headers["host"]) && path !== "/health" && path !== "/version") {
          return text(403, "Invalid Host header - possible DNS rebinding attack detected");
        }
        const origin = headers["origin"];
        if (origin !== undefined && origin !== "") {
          if (method === "OPTIONS" && headers["access-control-request-method"] !== undefined) {
            return preflight(origin, request);
          }
          if (isStateChanging(method) && !originAllowed(origin, headers["host"])) {
            return text(403, "Cross-origin request blocked");
          }
        }
      }
      const isOpen = path === "/health" || signedPaths.some((start) => path.startsWith(start));
      if (tokenMatches !== undefined && !isOpen && !tokenMatches(headers["authorization"])) {
        throw new PlatformError(
          "UNAUTHENTICATED",
          "This server asks for a token: set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD with the token as password.",
        );
      }
      return undefined;
    },

    options(_request, methods) {
      if (methods.length === 0) return notFound();
      return { status: 204, headers: ["Allow", allowHeader(methods)], body: "" };
    },

    addHeaders(headers, request) {
      for (const item of fixedHeaders) headers.push(item);
      const origin = request.headers["origin"];
      if (!enabled || origin === undefined || origin === "") return;
      if (anyOrigin) {
        headers.push("Access-Control-Allow-Origin", "*", "Access-Control-Expose-Headers", "*");
      } else if (originAllowed(origin, request.headers["host"])) {
        headers.push("Access-Control-Allow-Origin", origin, "Access-Control-Allow-Credentials", "true");
        headers.push("Access-Control-Expose-Headers", "*");
      }
    },
  };
}

function isStateChanging(method: string): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS" && method !== "TRACE";
}

/** Whether a text equals one of the patterns, in which `*` stands for any text. */
function matcher(patterns: readonly string[]): (text: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const wild = patterns.filter((pattern) => pattern.includes("*")).map((pattern) => pattern.split("*"));
  return (value) => exact.has(value) || wild.some((parts) => matchesParts(value, parts));
}

/** Greedy from left to right, in linear time: a regular expression could be made to backtrack. */
function matchesParts(value: string, parts: readonly string[]): boolean {
  const first = parts[0]!;
  const last = parts[parts.length - 1]!;
  if (!value.startsWith(first)) return false;
  let position = first.length;
  for (let index = 1; index < parts.length - 1; index++) {
    const found = value.indexOf(parts[index]!, position);
    if (found === -1) return false;
    position = found + parts[index]!.length;
  }
  return value.length - last.length >= position && value.endsWith(last);
}

/** Compares digests, so that the time tells nothing about the token, not even its length. */
function tokenCheck(token: string): (authorization: string | undefined) => boolean {
  const digest = (value: string): Buffer => createHash("sha256").update(value).digest();
  const wanted = digest(token);
  return (authorization) => {
    const match = /^(bearer|basic) +(\S+) *$/i.exec(authorization ?? "");
    if (match === null) return false;
    let given = match[2]!;
    if (match[1]!.toLowerCase() === "basic") {
      const pair = Buffer.from(given, "base64").toString("utf8");
      given = pair.slice(pair.indexOf(":") + 1);
    }
    return timingSafeEqual(digest(given), wanted);
  };
}
