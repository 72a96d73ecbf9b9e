import { closeDescriptor, fullSync, isErrno, mkdir } from "./local-descriptors.ts";
import { join } from "node:path";
import { invalidPath } from "../domain/artifact-path.ts";
import type { LocalRoot } from "./local-root.ts";

/** A directory that someone is writing into, open once for all who do. */
export class OpenDirectory {
  readonly fd: number;
  /** Leads to this very directory, even when it is renamed meanwhile (Linux). */
  readonly path: string;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(fd: number, path: string) {
    this.fd = fd;
    this.path = path;
  }

  child(name: string): string {
    return join(this.path, name);
  }

  /**
   * Makes every change so far survive a power loss. Whoever asks while a sync runs shares the next one:
   * the running one may have begun before their change.
   */
  sync(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const running = fullSync(this.fd).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}

/** The directories that are being written into now, so that concurrent uploads share descriptor and syncs. */
export class OpenDirectories {
  readonly #root: LocalRoot;
  readonly #open = new Map<string, { directory: Promise<OpenDirectory>; users: number }>();

  constructor(root: LocalRoot) {
    this.#root = root;
  }

  /**
   * Runs `use` with the directory, made with its parents when missing. When `use` fails with ENOENT the
   * directory was removed meanwhile: it is made again and `use` runs once more.
   */
  async within<T>(segments: readonly string[], use: (directory: OpenDirectory) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(segments, use);
      } catch (error) {
        if (attempt === 3 || !isErrno(error, "ENOENT")) throw error;
      }
    }
  }

  async #once<T>(segments: readonly string[], use: (directory: OpenDirectory) => Promise<T>): Promise<T> {
    const key = segments.join("/");
    let entry = this.#open.get(key);
    if (entry === undefined) {
      entry = { directory: this.#make(segments), users: 0 };
      this.#open.set(key, entry);
    }
    entry.users += 1;
    try {
      return await use(await entry.directory);
    } catch (error) {
      // Stale or never opened: the next user starts afresh.
      if (this.#open.get(key) === entry) this.#open.delete(key);
      throw error;
    } finally {
      entry.users -= 1;
      if (entry.users === 0) {
        if (this.#open.get(key) === entry) this.#open.delete(key);
        await entry.directory.then(({ fd }) => closeDescriptor(fd)).catch(() => undefined);
      }
    }
  }

  async #make(segments: readonly string[]): Promise<OpenDirectory> {
    const found = await this.#root.openDirectory(segments);
    if (found !== undefined) return new OpenDirectory(found.fd, found.path);
    const name = segments.at(-1);
    if (name === undefined) {
      throw new Error(`The artifact root ${this.#root.path} is gone. Restore it and try again.`);
    }
    await this.within(segments.slice(0, -1), async (parent) => {
      try {
        await mkdir(parent.child(name));
      } catch (error) {
        if (!isErrno(error, "EEXIST")) throw error;
      }
      await parent.sync();
    });
    const made = await this.#root.openDirectory(segments);
    if (made !== undefined) return new OpenDirectory(made.fd, made.path);
    throw invalidPath(segments.join("/"), "a symbolic link on it leads nowhere");
  }
}
