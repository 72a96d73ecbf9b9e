import type { Progress } from "../artifacts/progress.ts";

/** Adds up the progress of several files. */
export function createTally(
  onProgress: ((progress: Progress) => void) | undefined,
  files: readonly {
    readonly path: string;
    readonly fileSize?: number | undefined;
    readonly isDir: boolean;
  }[],
): { follow(path: string): ((progress: Progress) => void) | undefined; finish(path: string): void } {
  // A listing leaves out the size of an empty file; a single file that was not listed has no known size.
  const isListed = files.length > 1 || files[0]?.fileSize !== undefined;
  let totalBytes = isListed ? files.reduce((sum, { fileSize = 0 }) => sum + fileSize, 0) : undefined;
  let doneBytes = 0;
  let filesDone = 0;
  const tell = (path: string): void =>
    onProgress?.({ doneBytes, totalBytes, filesDone, filesTotal: files.length, path });
  return {
    follow: (path) => {
      if (onProgress === undefined) return undefined;
      let before = 0;
      return (progress) => {
        doneBytes += progress.doneBytes - before;
        before = progress.doneBytes;
        if (!isListed) totalBytes = progress.totalBytes;
        tell(path);
      };
    },
    finish: (path) => {
      filesDone++;
      tell(path);
    },
  };
}
