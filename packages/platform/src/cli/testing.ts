/** The command line in the process of a test: same words, captured output. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Io, Output } from "./io.ts";
import { run } from "./run.ts";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output, parsed. */
  json(): unknown;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Width of a terminal; without it, output goes into a pipe. */
  readonly columns?: number;
  /** Answer to questions; without it nobody is there to ask. */
  readonly answer?: boolean;
}

/** Runs a command in this process. */
export async function millrace(words: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  const texts = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr"): Output => ({
    write: (text) => {
      texts[name] += text;
    },
    isTerminal: surroundings.columns !== undefined,
    columns: surroundings.columns,
  });
  const io: Io = {
    env: { ...surroundings.env },
    stdout: output("stdout"),
    stderr: output("stderr"),
    isInteractive: surroundings.answer !== undefined,
    confirm: async () => surroundings.answer ?? false,
    onInterrupt: () => () => undefined,
    exit: () => undefined,
  };
  const code = await run(words, io);
  return { code, ...texts, json: () => JSON.parse(texts.stdout) as unknown };
}

/** A folder for one test file, and how to remove it. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "millrace-cli-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
