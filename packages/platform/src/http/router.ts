/**
 * Finds the route of a method and path. Paths without parameters are one Map look-up; the few with parameters are
 * tried in order. A path is percent-decoded as a whole before it is matched, as MLflow's server does.
 */
import type { RouteFamily } from "@millrace/contract";

export interface RouteAddress {
  readonly methods: readonly string[];
  /** Below the family's prefixes, with `{name}` for one segment and `{name...}` for the rest of the path. */
  readonly path: string;
  readonly family: RouteFamily;
}

export interface Found<R> {
  readonly route: R;
  readonly parameters: Readonly<Record<string, string>>;
}

/** No route: 404 when `allow` is empty, otherwise the path exists for these other methods. */
export interface NotFound {
  readonly route: undefined;
  readonly allow: readonly string[];
}

const prefixes: Readonly<Record<RouteFamily, readonly string[]>> = {
  both: ["/api", "/ajax-api"],
  ajax: ["/ajax-api"],
  plain: [""],
};

const noParameters: Readonly<Record<string, string>> = Object.freeze({});

interface Pattern<R> {
  /** The path up to its first parameter. */
  readonly start: string;
  readonly expression: RegExp;
  readonly names: readonly string[];
  readonly byMethod: Map<string, R>;
}

export interface Router<R> {
  /** `path` is the URL's path without query and without the static prefix. HEAD finds GET's route. */
  find(method: string, path: string): Found<R> | NotFound;
}

/** Builds the look-up tables once. Of two routes with the same method and path, the first counts. */
export function createRouter<R extends RouteAddress>(routes: readonly R[]): Router<R> {
  const fixed = new Map<string, Map<string, Found<R>>>();
  const patterns: Pattern<R>[] = [];
  for (const route of routes) {
    for (const prefix of prefixes[route.family]) {
      const path = prefix + route.path;
      const add = path.includes("{") ? addPattern : addFixed;
      add(path, route);
    }
  }

  function addFixed(path: string, route: R): void {
    const byMethod = fixed.get(path) ?? new Map<string, Found<R>>();
    fixed.set(path, byMethod);
    for (const method of route.methods) {
      if (!byMethod.has(method)) byMethod.set(method, { route, parameters: noParameters });
    }
  }

  function addPattern(path: string, route: R): void {
    const pattern = compile<R>(path);
    const known = patterns.find((other) => other.expression.source === pattern.expression.source);
    if (!known) patterns.push(pattern);
    const { byMethod } = known ?? pattern;
    for (const method of route.methods) if (!byMethod.has(method)) byMethod.set(method, route);
  }

  function findPattern(method: string, path: string, allow: readonly string[]): Found<R> | NotFound {
    let methods = allow;
    for (const { start, expression, names, byMethod } of patterns) {
      if (!path.startsWith(start)) continue;
      const match = expression.exec(path);
      if (match === null) continue;
      const route = byMethod.get(method);
      if (route !== undefined) {
        const parameters: Record<string, string> = {};
        for (let index = 0; index < names.length; index++) parameters[names[index]!] = match[index + 1]!;
        return { route, parameters };
      }
      methods = [...methods, ...byMethod.keys()];
    }
    return { route: undefined, allow: methods };
  }

  return {
    find(method, encodedPath) {
      const path = encodedPath.includes("%") ? decodePath(encodedPath) : encodedPath;
      const wanted = method === "HEAD" ? "GET" : method;
      const byMethod = fixed.get(path);
      if (byMethod === undefined) return findPattern(wanted, path, []);
      // GET of logged-models/search is no search, but the model whose id is "search".
      return byMethod.get(wanted) ?? findPattern(wanted, path, [...byMethod.keys()]);
    },
  };
}

function compile<R>(path: string): Pattern<R> {
  const names: string[] = [];
  const source = path
    .split(/(\{[^}]+\})/)
    .map((part) => {
      if (!part.startsWith("{")) return part.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
      const rest = part.endsWith("...}");
      names.push(part.slice(1, rest ? -4 : -1));
      return rest ? "(.+)" : "([^/]+)";
    })
    .join("");
  return {
    start: path.slice(0, path.indexOf("{")),
    expression: new RegExp(`^${source}$`, "s"),
    names,
    byMethod: new Map(),
  };
}

/** Percent-decodes as Python's `unquote` does: what is no escape stays, what is no UTF-8 becomes U+FFFD. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
      Buffer.from(escapes.replaceAll("%", ""), "hex").toString("utf8"),
    );
  }
}
