/** The command line in a real process. */
import process from "node:process";
import { createInterface } from "node:readline/promises";
import type { Io, Output } from "./io.ts";
import { run } from "./run.ts";

const signals = ["SIGINT", "SIGTERM"] as const;

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
  };
}

function processIo(): Io {
  return {
    env: process.env,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    get isInteractive() {
      return process.stdin.isTTY === true && process.stderr.isTTY === true;
    },
    async confirm(question) {
      const terminal = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
      } finally {
        terminal.close();
      }
    },
    onInterrupt(listener) {
      let count = 0;
      const listeners = signals.map((signal) => {
        const heard = (): void => listener(signal, ++count);
        process.on(signal, heard);
        return () => process.off(signal, heard);
      });
      return () => listeners.forEach((stop) => stop());
    },
    exit: (code) => process.exit(code),
  };
}

/** Runs the command that the process was started with, and ends the process with its exit code. */
export async function main(): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader such as `head` that has seen enough is no failure.
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const code = await run(process.argv.slice(2), processIo());
  process.stdout.write("", () => process.exit(code));
}
