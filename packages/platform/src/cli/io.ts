/** What a command sees of its surroundings; tests put their own in. */
import type { Environment } from "../options.ts";

export interface Output {
  write(text: string): void;
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  /** Width of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
}

export interface Io {
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Whether questions can be answered. */
  readonly isInteractive: boolean;
  /** Asks for yes or no on the terminal. */
  confirm(question: string): Promise<boolean>;
  /** Calls back for each request to end; the count begins at 1. Gives a function that stops listening. */
  onInterrupt(listener: (signal: "SIGINT" | "SIGTERM", count: number) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}
