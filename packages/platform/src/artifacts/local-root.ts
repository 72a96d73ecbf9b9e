import { constants, mkdirSync, readlinkSync, realpathSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { artifactPathSegments, invalidPath } from "../domain/artifact-path.ts";
import { closeDescriptor, isErrno, openDescriptor, storeError } from "./local-descriptors.ts";

/** The folder of the root that holds unfinished uploads. It can be neither listed, read, written nor removed. */
export const STAGING_FOLDER = ".millrace-uploads";

const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const DIRECTORY = constants.O_DIRECTORY ?? 0;
// Opening a named pipe must not wait for its other end.
const NONBLOCK = constants.O_NONBLOCK ?? 0;
const OPEN_ATTEMPTS = 3;
/** PATH_MAX without its final NUL: what a whole path may have in bytes to be opened by its name. */
const PATH_BYTES_MAX = process.platform === "darwin" ? 1_023 : 4_095;

/**
 * The one place where artifact paths become file-system paths.
 *
 * On Linux a descriptor is opened first and then asked where it points (`/proc/self/fd`), and children are
 * addressed through the descriptor of their directory, so a link swapped in between changes nothing.
 * Elsewhere the real path is checked first and the last component is opened without following links; a
 * program on the same machine that swaps a folder in that moment could still mislead it.
 */
export class LocalRoot {
  /** Real and absolute. */
  readonly path: string;
  readonly staging: string;
  readonly #asksDescriptors: boolean;

  constructor(path: string) {
    const absolute = resolve(path);
    mkdirSync(join(absolute, STAGING_FOLDER), { recursive: true });
    this.path = realpathSync.native(absolute);
    this.staging = join(this.path, STAGING_FOLDER);
    this.#asksDescriptors = process.platform === "linux" && descriptorsCanBeAsked();
  }

  /** Segments of a path that may hold artifacts; undefined for the staging folder. Throws for climbing ones. */
  segments(path: string): string[] | undefined {
    const segments = artifactPathSegments(path);
    return segments[0] === STAGING_FOLDER ? undefined : segments;
  }

  /** The same for a change, where the root itself and the staging folder are refused. */
  segmentsToChange(path: string): { folders: string[]; name: string } {
    const segments = this.segments(path);
    if (segments === undefined) {
      throw invalidPath(path, `'${STAGING_FOLDER}' is reserved for uploads`);
    }
    const name = segments.at(-1);
    if (name === undefined) throw invalidPath(path, "it names the root of the store");
    // Written folder by folder it would work, but then nobody could open, back up or remove it by its name.
    if (Buffer.byteLength(join(this.path, ...segments)) > PATH_BYTES_MAX) {
      throw invalidPath(path, `with the folder of the store it is longer than ${PATH_BYTES_MAX} bytes`);
    }
    return { folders: segments.slice(0, -1), name };
  }

  /** A read-only descriptor, or undefined when nothing is there. Throws when the path leads out by a link. */
  openForReading(segments: readonly string[]): Promise<number | undefined> {
    return this.#open(segments, constants.O_RDONLY | NONBLOCK);
  }

  /** A descriptor of a directory that is there already; undefined when nothing is. ENOTDIR below a file. */
  async openDirectory(segments: readonly string[]): Promise<{ fd: number; path: string } | undefined> {
    const fd = await this.#open(segments, constants.O_RDONLY | DIRECTORY, true);
    if (fd === undefined) return undefined;
    if (this.#asksDescriptors) return { fd, path: `/proc/self/fd/${fd}` };
    return { fd, path: await realpath(join(this.path, ...segments)) };
  }

  /** Where a link really leads, when that is inside; else undefined. */
  async realPathInside(path: string): Promise<string | undefined> {
    try {
      const real = await realpath(path);
      return this.#holds(real) ? real : undefined;
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return undefined;
      throw error;
    }
  }

  async #open(
    segments: readonly string[],
    flags: number,
    throwNotDirectory = false,
  ): Promise<number | undefined> {
    const wanted = join(this.path, ...segments);
    try {
      if (!this.#asksDescriptors) {
        return await openDescriptor(await this.#checked(wanted, segments), flags | NOFOLLOW);
      }
      for (let attempt = 1; attempt <= OPEN_ATTEMPTS; attempt += 1) {
        const fd = await this.#openLinked(wanted, segments, flags);
        if (this.#holds(readlinkSync(`/proc/self/fd/${fd}`))) return fd;
        closeDescriptor(fd);
        // Either a link leads out, which this tells, or a folder was removed (moved away) just now.
        await this.#checked(wanted, segments);
      }
      return undefined;
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENAMETOOLONG")) return undefined;
      if (isErrno(error, "ENOTDIR") && !throwNotDirectory) return undefined;
      // A socket, or a device without a driver: nothing that could be an artifact.
      if (isErrno(error, "ENXIO", "ENODEV")) return undefined;
      if (isErrno(error, "ELOOP")) throw leadsOut(segments);
      throw throwNotDirectory ? error : storeError(error, segments.join("/"));
    }
  }

  /** A link as last component is rare: only then is its target looked up and checked. */
  async #openLinked(wanted: string, segments: readonly string[], flags: number): Promise<number> {
    try {
      return await openDescriptor(wanted, flags | NOFOLLOW);
    } catch (error) {
      // With O_DIRECTORY a link answers ENOTDIR.
      if (!isErrno(error, "ELOOP", "ENOTDIR")) throw error;
      return openDescriptor(await this.#checked(wanted, segments), flags | NOFOLLOW);
    }
  }

  async #checked(wanted: string, segments: readonly string[]): Promise<string> {
    const real = await realpath(wanted);
    if (!this.#holds(real)) throw leadsOut(segments);
    return real;
  }

  #holds(real: string): boolean {
    if (real === this.staging || real.startsWith(this.staging + sep)) return false;
    return real === this.path || real.startsWith(this.path === sep ? sep : this.path + sep);
  }
}

function leadsOut(segments: readonly string[]): unknown {
  return invalidPath(segments.join("/"), "a symbolic link on it leads out of the artifact store");
}

function descriptorsCanBeAsked(): boolean {
  try {
    readlinkSync("/proc/self/fd/0");
    return true;
  } catch {
    return false;
  }
}
