/** Lets work finish when the process ends before its time. */
import { setTimeout as delay } from "node:timers/promises";

/** `handled`: a signal or a crash for which the program has a handler, so it may go on, or end at any moment. */
export type Ending = "idle" | "signal" | "crash" | "handled";
/** Called with the reason; what it gives is waited for, within bounds, unless the program handles its end itself. */
export type ExitTask = (ending: Ending) => Promise<unknown>;

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** A user who presses Ctrl-C does not wait for longer. */
const EXIT_WAIT_MS_MAX = 5_000;

const tasks = new Set<ExitTask>();
let ending = false;

/** Registers a task for the end of the process; call what it gives when the work is done. */
export function atExit(task: ExitTask): () => void {
  if (tasks.size === 0) listen();
  tasks.add(task);
  return () => {
    tasks.delete(task);
    if (tasks.size === 0 && !ending) forget();
  };
}

function listen(): void {
  process.on("beforeExit", onIdle);
  // In front, because a handler for one time is gone from the count once it was called.
  process.prependListener("uncaughtException", onCrash);
  for (const signal of signals) process.prependListener(signal, onSignal);
}

function forget(): void {
  process.off("beforeExit", onIdle);
  process.off("uncaughtException", onCrash);
  for (const signal of signals) process.off(signal, onSignal);
}

async function runAll(reason: Ending): Promise<void> {
  const patience = new AbortController();
  // The newest first: a child run ends before its parent.
  const all = Promise.allSettled([...tasks].reverse().map((task) => task(reason)));
  await Promise.race([
    all,
    delay(EXIT_WAIT_MS_MAX, undefined, { signal: patience.signal }).catch(() => undefined),
  ]);
  patience.abort();
}

/** Nothing is left to do but runs are open: what they wait for will never come. */
function onIdle(): void {
  if (ending) return;
  ending = true;
  void runAll("idle").finally(forget);
}

function onSignal(signal: NodeJS.Signals): void {
  // A program with a handler of its own decides itself how it ends.
  if (process.listenerCount(signal) > 1) {
    void runAll("handled");
    return;
  }
  if (ending) {
    raise(signal);
    return;
  }
  ending = true;
  void runAll("signal").finally(() => raise(signal));
}

/** Without our listener the signal does what it always does, so the exit status tells the truth. */
function raise(signal: NodeJS.Signals): void {
  forget();
  process.kill(process.pid, signal);
}

/** Also rejections that nobody handled: Node raises them as exceptions. */
function onCrash(thrown: unknown): void {
  if (process.listenerCount("uncaughtException") > 1) {
    void runAll("handled");
    return;
  }
  const crash = (): void => {
    forget();
    // Thrown outside of any promise, so that Node reports it and exits with its own status.
    setImmediate(() => {
      throw thrown;
    });
  };
  if (ending) {
    crash();
    return;
  }
  ending = true;
  void runAll("crash").finally(crash);
}
