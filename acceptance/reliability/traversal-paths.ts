import path from "node:path";

/** Steps that a path climbs at most. */
export const CLIMB_MAX = 12;

/** `count` steps upwards. */
export const up = (count: number, separator = "/"): string => `..${separator}`.repeat(count);

/**
 * Paths to `outside/canary.txt` beside the artifact root in `directory`, relative to folders of depth 0, 3 and 4, in
 * many spellings; links that the tests planted inside of the root; and names that belong to the store itself.
 */
export function climbingPaths(directory: string): string[] {
  const canary = "outside/canary.txt";
  const absolute = path.join(directory, canary);
  const plain = [1, 3, 4, 5, CLIMB_MAX].flatMap((depth) => [
    up(depth) + canary,
    `a/b/${up(depth + 2)}${canary}`,
    `folder/.${"./.".repeat(depth)}./${canary}`,
    `....//${"....//".repeat(depth)}${canary}`,
    up(depth, "\\") + canary.replace("/", "\\"),
    `folder\\${up(depth, "\\")}${canary}`,
  ]);
  const encode = (text: string): string =>
    text.replace(/[./\\]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  const doubled = (text: string): string => encode(text).replaceAll("%", "%25");
  const dots = (text: string): string => text.replaceAll("..", "%2e%2e");
  const climbing = plain.flatMap((text) => [
    text,
    encode(text),
    doubled(text),
    doubled(text).replaceAll("%", "%25"),
    dots(text),
  ]);
  return [
    ...climbing,
    absolute,
    `/${absolute}`,
    encode(absolute),
    doubled(absolute),
    `file:${absolute}`,
    `file://${absolute}`,
    `file://localhost${absolute}`,
    `FILE:${absolute}`,
    `file%3a%2f%2f${encode(absolute)}`,
    "C:\\canary\\x.ini",
    "C:/canary/x.ini",
    `\\\\127.0.0.1\\share\\x`,
    `//127.0.0.1${absolute}`,
    // Overlong and broken UTF-8 of '.', '/' and of both.
    `%c0%ae%c0%ae/%c0%ae%c0%ae/%c0%ae%c0%ae/${canary}`,
    `..%c0%af..%c0%af..%c0%af${canary}`,
    `..%e0%80%af..%e0%80%af${canary}`,
    `..%ef%bc%8f..%ef%bc%8f${canary}`,
    `%uff0e%uff0e/${canary}`,
    `..%00/..%00/${canary}`,
    `folder/data.txt%00/../../../../${canary}`,
    `folder/%00`,
    `..;/..;/..;/${canary}`,
    `..%3b/..%3b/${canary}`,
    `..#/../${canary}`,
    `..%23/..%23/${canary}`,
    `..%3f/..%3f/${canary}`,
    `~/${canary}`,
    `$HOME/${canary}`,
    "..",
    "../",
    "../..",
    "%2e%2e",
    ".%2e/.%2e",
    "%252e%252e%252f%252e%252e",
    // Links that were planted inside of the root.
    "link-folder/canary.txt",
    "link-folder",
    "link-folder/new.txt",
    "link-file",
    "link-relative/canary.txt",
    "link-loop",
    "link-loop/link-loop/x",
    "link-far/canary.txt",
    "folder/link-folder/canary.txt",
    "dangling",
    "dangling/new.txt",
    ".millrace-uploads",
    ".millrace-uploads/x",
  ];
}
