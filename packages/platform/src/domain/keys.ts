/** Names of metrics, params and tags, as MLflow accepts them. */
import { invalidParameter, limits } from "@millrace/contract";

const ALLOWED = /^[/\p{L}\p{N}\p{M}_.\- :]*$/u;
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.\- ]*$/;

/** Number of code points, which is how Python and so MLflow's limits count. */
export function codePointLength(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      length--;
      index++;
    }
  }
  return length;
}

/** The first `lengthMax` code points. */
export function truncate(text: string, lengthMax: number): string {
  if (text.length <= lengthMax || codePointLength(text) <= lengthMax) return text;
  return [...text].slice(0, lengthMax).join("");
}

export function tooLong(path: string, lengthMax: number): string {
  return `'${path}' exceeds the maximum length of ${lengthMax} characters`;
}

/**
 * What is wrong with a key, or undefined. Keys become paths in file stores, so they must be normalised relative
 * paths: no leading or doubled slash, nothing that resolves to `.` or `..`.
 */
export function keyProblem(
  key: string,
  path: string,
  lengthMax: number = limits.keyLengthMax,
): string | undefined {
  if (key.length <= lengthMax && PLAIN.test(key)) return undefined;
  const shown = key.length > 250 ? `${key.slice(0, 250)}…` : key;
  if (!ALLOWED.test(key)) {
    return `Invalid value ${JSON.stringify(shown)} for parameter '${path}' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).`;
  }
  const parts = key.split("/");
  // Upstream looks at the first two characters only, so `..a` is refused and `a/..b` is not.
  if (key.startsWith("..") || parts.some((part) => part === "" || part === "." || part === "..")) {
    return `Invalid value ${JSON.stringify(shown)} for parameter '${path}' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such: no leading, trailing or doubled slash, no '.' and no '..' between slashes.`;
  }
  if (codePointLength(key) > lengthMax) return tooLong(path, lengthMax);
  return undefined;
}

/** @throws PlatformError INVALID_PARAMETER_VALUE */
export function checkKey(key: string, path = "key"): void {
  const problem = keyProblem(key, path);
  if (problem !== undefined) throw invalidParameter(problem, { path });
}

/** @throws PlatformError INVALID_PARAMETER_VALUE when the text is longer than the limit */
export function checkLength(text: string | undefined, path: string, lengthMax: number): void {
  if (text !== undefined && text.length > lengthMax && codePointLength(text) > lengthMax) {
    throw invalidParameter(tooLong(path, lengthMax), { path, lengthMax });
  }
}
