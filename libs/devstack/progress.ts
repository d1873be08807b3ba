/** Tells a waiting person what is going on. Between `step` and `done` it is never silent for 5 s. */
export interface Progress {
  /** Shows what is happening now; may be called as often as the text changes. */
  step(text: string): void;
  /** Ends the display; a later `step` starts a new one. */
  done(): void;
}

const redrawMs = 200;
const plainMinimumMs = 3_000;
const plainMaximumMs = 4_000;

/** On a terminal one line that moves, elsewhere (logs, CI) a plain line every few seconds. */
export function createProgress(stream: NodeJS.WriteStream | NodeJS.WritableStream = process.stderr): Progress {
  return 'isTTY' in stream && stream.isTTY ? movingLine(stream) : plainLines(stream);
}

function movingLine(stream: NodeJS.WriteStream): Progress {
  const frames = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'];
  let frame = 0;
  const draw = (text: string, elapsed: string) => {
    const line = `${frames[frame++ % frames.length]} ${elapsed} ${text}`;
    // A line that wraps could not be overwritten. Some terminals do not know their width.
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
    // Something new is said at once, a counter that moved or a sign of life only now and then.
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

/** Texts that differ only in their numbers are about the same thing. */
function kindOf(text: string): string {
  return text.replace(/\d+/g, '#');
}

type Show = (text: string, elapsed: string) => void;

/** Calls `stepped` at each step, `ticked` every `intervalMs` in between and `ended` once, all with the newest text. */
function ticking(intervalMs: number, show: { stepped: Show; ticked: Show; ended: Show }): Progress {
  let running: { text: string; since: number; timer: NodeJS.Timeout } | undefined;
  const elapsed = () => formatElapsed(Date.now() - (running?.since ?? 0));
  return {
    step(text) {
      running ??= {
        text,
        since: Date.now(),
        // unref: what is shown must not keep a process alive that has nothing else to do.
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
