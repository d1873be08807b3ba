/** Shows the user what a long operation is doing. Between `step` and `done` it writes something at least every 5 s. */
export interface Progress {
  /** Shows what is happening now. May be called as often as the text changes. */
  step(text: string): void;
  /** Ends the display; a later `step` starts a new one. */
  done(): void;
}

const redrawMs = 200;
const plainMinimumMs = 3_000;
const plainMaximumMs = 4_000;

/**
 * Creates a progress display: one animated line on a terminal, and a plain line every few seconds elsewhere (logs, CI).
 */
export function createProgress(stream: NodeJS.WriteStream | NodeJS.WritableStream = process.stderr): Progress {
  return 'isTTY' in stream && stream.isTTY ? movingLine(stream) : plainLines(stream);
}

function movingLine(stream: NodeJS.WriteStream): Progress {
  const frames = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'];
  let frame = 0;
  const draw = (text: string, elapsed: string) => {
    const line = `${frames[frame++ % frames.length]} ${elapsed} ${text}`;
    // A line that wraps could not be overwritten, so it is truncated. Some terminals do not report their width.
    stream.write(`\r\x1b[K${line.slice(0, (stream.columns || 80) - 1)}`);
  };
  return ticking(redrawMs, { stepped: draw, ticked: draw, ended: () => stream.write('\r\x1b[K') });
}

function plainLines(stream: NodeJS.WritableStream): Progress {
  let written: { text: string; at: number } | undefined;
  const write: Show = (text, elapsed) => {
    stream.write(`[${elapsed}] ${text}\n`);
    written = { text, at: Date.now() };
  };
  const writeWhenDue: Show = (text, elapsed) => {
    const pauseMs = text === written?.text ? plainMaximumMs : plainMinimumMs;
    // Write a new message immediately, but a changed counter or an unchanged message only at intervals.
    if (!written || kindOf(text) !== kindOf(written.text) || Date.now() - written.at >= pauseMs) write(text, elapsed);
  };
  return ticking(500, {
    stepped: writeWhenDue,
    ticked: writeWhenDue,
    ended(text, elapsed) {
      if (text !== written?.text) write(text, elapsed);
      written = undefined;
    },
  });
}

/** Replaces the numbers in a text, because texts that differ only in numbers describe the same step. */
function kindOf(text: string): string {
  return text.replace(/\d+/g, '#');
}

type Show = (text: string, elapsed: string) => void;

/**
 * Calls `stepped` at each step, `ticked` every `intervalMs` in between, and `ended` once, always with the newest text.
 */
function ticking(intervalMs: number, show: { stepped: Show; ticked: Show; ended: Show }): Progress {
  let running: { text: string; since: number; timer: NodeJS.Timeout } | undefined;
  const elapsed = () => formatElapsed(Date.now() - (running?.since ?? 0));
  return {
    step(text) {
      running ??= {
        text,
        since: Date.now(),
        // unref, because the display must not keep the process alive.
        timer: setInterval(() => running && show.ticked(running.text, elapsed()), intervalMs).unref(),
      };
      running.text = text;
      show.stepped(text, elapsed());
    },
    done() {
      if (!running) return;
      clearInterval(running.timer);
      show.ended(running.text, elapsed());
      running = undefined;
    },
  };
}

function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}
