import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readGitSource } from "./git.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "millrace-git-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const hasGit = (() => {
  try {
    execFileSync("git", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();
const git = (cwd: string, ...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
    cwd,
    encoding: "utf8",
    stdio: "pipe",
  }).trim();

test.runIf(hasGit)("agrees with git: a branch, packed, detached, in a worktree, below the root", async () => {
  const repository = path.join(folder, "repository");
  await mkdir(path.join(repository, "deep"), { recursive: true });
  git(repository, "init", "-q", "-b", "topic/x");
  expect(await readGitSource(repository)).toBeUndefined();
  git(repository, "commit", "-q", "--allow-empty", "-m", "one");
  git(repository, "remote", "add", "other", "https://user:token@host.example/other.git");
  const commit = git(repository, "rev-parse", "HEAD");
  const repoUrl = "https://host.example/other.git";
  expect(await readGitSource(path.join(repository, "deep"))).toEqual({ commit, branch: "topic/x", repoUrl });

  git(repository, "remote", "add", "origin", "git@host.example:team/own.git");
  git(repository, "pack-refs", "--all");
  const origin = "git@host.example:team/own.git";
  expect(await readGitSource(repository)).toEqual({ commit, branch: "topic/x", repoUrl: origin });

  const worktree = path.join(folder, "worktree");
  git(repository, "worktree", "add", "-q", "-b", "side", worktree);
  git(worktree, "commit", "-q", "--allow-empty", "-m", "two");
  const side = git(worktree, "rev-parse", "HEAD");
  expect(await readGitSource(worktree)).toEqual({ commit: side, branch: "side", repoUrl: origin });

  git(repository, "checkout", "-q", "--detach");
  expect(await readGitSource(repository)).toEqual({ commit, branch: undefined, repoUrl: origin });
});

test("is silent where there is no repository, and where its files make no sense", async () => {
  expect(await readGitSource(folder)).toBeUndefined();
  await mkdir(path.join(folder, ".git"));
  await writeFile(path.join(folder, ".git", "HEAD"), "ref: refs/heads/../../secret\n");
  await writeFile(path.join(folder, "secret"), "password");
  expect(await readGitSource(folder)).toBeUndefined();
});
