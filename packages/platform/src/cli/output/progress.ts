/** One line on a terminal that says how far long work has come. Pipes and logs get nothing. */
import type { Io } from "../io.ts";
import { formatDuration } from "./format.ts";
import { colours } from "./style.ts";
import { cut, visible } from "./text.ts";

export interface ProgressBar {
  /** `total` undefined: not known. */
  update(done: number, total: number | undefined, note?: string): void;
  /** Takes the line away. */
  end(): void;
}

const REDRAW_MS = 100;
/** What is done sooner needs no bar. */
const SHOW_AFTER_MS = 300;
const BAR_COLUMNS = 24;
const CLEAR_LINE = "\r\u001b[K";

export function createProgress(
  { stderr, env }: Pick<Io, "stderr" | "env">,
  label: string,
  now: () => number = () => performance.now(),
): ProgressBar {
  if (!stderr.isTerminal || env["TERM"] === "dumb") return { update: () => undefined, end: () => undefined };
  const { dim } = colours(stderr, env);
  const startedAt = now();
  let drawnAt = startedAt + SHOW_AFTER_MS - REDRAW_MS;
  let drawn = false;
  return {
    update(done, total, note = "") {
      const time = now();
      if (time - drawnAt < REDRAW_MS) return;
      drawnAt = time;
      drawn = true;
      const share = total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
      const filled = Math.round((share ?? 0) * BAR_COLUMNS);
      const bar = share === undefined ? "" : ` ${"█".repeat(filled)}${dim("░".repeat(BAR_COLUMNS - filled))}`;
      const percent = share === undefined ? "" : ` ${String(Math.floor(share * 100)).padStart(3)} %`;
      const left =
        share === undefined || share < 0.02
          ? ""
          : `, ${formatDuration(((time - startedAt) / share) * (1 - share))} left`;
      const room = (stderr.columns ?? 80) - label.length - BAR_COLUMNS - 8;
      stderr.write(`${CLEAR_LINE}${label}${bar}${percent} ${cut(visible(note) + left, Math.max(0, room))}`);
    },
    end() {
      if (drawn) stderr.write(CLEAR_LINE);
    },
  };
}
