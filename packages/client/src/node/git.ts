/** Where a program comes from, read out of `.git` without starting git. */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";

export interface GitSource {
  readonly commit: string;
  /** Undefined for a detached HEAD. */
  readonly branch: string | undefined;
  /** Of `origin`, else of the first remote, without credentials. */
  readonly repoUrl: string | undefined;
}

/** The commit that is checked out around `directory`; undefined outside of a repository, or before its first commit. */
export async function readGitSource(directory: string): Promise<GitSource | undefined> {
  const gitDirectory = await findGitDirectory(path.resolve(directory));
  if (gitDirectory === undefined) return undefined;
  // A linked worktree has its own HEAD; branches and configuration are in the repository that it belongs to.
  const common = await textOf(gitDirectory, "commondir");
  const commonDirectory = common === undefined ? gitDirectory : path.resolve(gitDirectory, common);
  const head = await textOf(gitDirectory, "HEAD");
  if (head === undefined) return undefined;
  const reference = /^ref: (.+)$/.exec(head)?.[1];
  const commit = reference === undefined ? head : await commitOf(reference, gitDirectory, commonDirectory);
  if (commit === undefined || !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) return undefined;
  return {
    commit,
    branch: reference?.startsWith("refs/heads/") ? reference.slice("refs/heads/".length) : undefined,
    repoUrl: remoteUrlOf((await textOf(commonDirectory, "config")) ?? ""),
  };
}

async function findGitDirectory(start: string): Promise<string | undefined> {
  for (let directory = start; ; directory = path.dirname(directory)) {
    const candidate = path.join(directory, ".git");
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isDirectory()) return candidate;
    // Worktrees and submodules have a file that names the directory.
    const named = found?.isFile()
      ? /^gitdir: (.+)$/m.exec((await textOf(directory, ".git")) ?? "")
      : undefined;
    if (named?.[1] !== undefined) return path.resolve(directory, named[1]);
    if (path.dirname(directory) === directory) return undefined;
  }
}

async function commitOf(reference: string, ...directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const loose = await textOf(directory, reference);
    if (loose !== undefined) return loose;
    const packed = (await textOf(directory, "packed-refs")) ?? "";
    const line = packed.split("\n").find((entry) => entry.endsWith(` ${reference}`));
    if (line !== undefined) return line.slice(0, line.indexOf(" "));
  }
  return undefined;
}

function remoteUrlOf(config: string): string | undefined {
  const remotes = new Map<string, string>();
  let remote: string | undefined;
  for (const line of config.split("\n")) {
    const section = /^\s*\[(.*)\]\s*$/.exec(line)?.[1];
    if (section !== undefined) remote = /^remote "(.*)"$/.exec(section)?.[1];
    const url = /^\s*url\s*=\s*(.*?)\s*$/.exec(line)?.[1];
    if (remote !== undefined && url !== undefined && !remotes.has(remote)) remotes.set(remote, url);
  }
  const url = remotes.get("origin") ?? remotes.values().next().value;
  return url === undefined ? undefined : withoutCredentials(url);
}

/** The tag is shown to everybody, and addresses with tokens in them are common. */
function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
}

async function textOf(directory: string, name: string): Promise<string | undefined> {
  try {
    return (await readFile(path.join(directory, name), "utf8")).trim();
  } catch {
    return undefined;
  }
}
