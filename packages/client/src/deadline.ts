/**
 * Aborts an exchange that has been silent for too long. Each sign of life starts the time again, so a large
 * artifact may take its time while a dead connection is noticed.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** True once the silence was too long, as opposed to a caller that gave up. */
  expired = false;

  /** @param timeoutMs 0 waits for ever. */
  constructor(timeoutMs: number, outer?: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#outer = outer;
    if (outer?.aborted) this.#controller.abort(outer.reason);
    outer?.addEventListener("abort", this.#follow);
    this.touch();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    clearTimeout(this.#timer);
    if (this.#timeoutMs > 0 && !this.#controller.signal.aborted) {
      this.#timer = setTimeout(this.#expire, this.#timeoutMs);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => {
    clearTimeout(this.#timer);
    this.#controller.abort(this.#outer?.reason);
  };

  readonly #expire = (): void => {
    this.expired = true;
    this.#controller.abort(new DOMException("No sign of life in time.", "TimeoutError"));
  };
}

/** Waits, or throws the signal's reason. */
export function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const abandon = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abandon);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", abandon, { once: true });
  });
}
