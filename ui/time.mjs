// Exact time: a frame is a number, seconds are ratios of whole numbers, and nothing is rounded on the way.

/** A ratio of two BigInts, from "24", "2.5", "24000/1001" or a time code "[[H:]M:]S[.s]"; null if it is none. */
export function ratio(text) {
  const given = String(text).trim();
  if (/^\d+(:[0-5]?\d){1,2}(\.\d+)?$/.test(given)) {
    const parts = given.split(":").map(ratio);
    return parts.reduce((sum, [n, d]) => [sum[0] * 60n * d + n * sum[1], sum[1] * d], [0n, 1n]);
  }
  const fraction = /^(\d+)\s*\/\s*(\d+)$/.exec(given);
  if (fraction) return BigInt(fraction[2]) === 0n ? null : [BigInt(fraction[1]), BigInt(fraction[2])];
  const decimal = /^(\d*)(?:\.(\d*))?$/.exec(given);
  if (!decimal || given === "" || given === ".") return null;
  const digits = decimal[2] ?? "";
  return [BigInt(`${decimal[1]}${digits}` || "0"), 10n ** BigInt(digits.length)];
}

/** First frame at or after a moment: ceil(seconds * fps). */
export function frameAt(seconds, fps) {
  const top = seconds[0] * fps[0];
  const bottom = seconds[1] * fps[1];
  return Number((top + bottom - 1n) / bottom);
}

/** Seconds of a frame's beginning, as a float: for players and labels only. */
export const secondsAt = (frame, fps) => (frame * Number(fps[1])) / Number(fps[0]);

/** "0:01.250", with milliseconds rounded. */
export function clock(frame, fps) {
  const total = Math.round(secondsAt(frame, fps) * 1000);
  const [minutes, ms] = [Math.floor(total / 60000), total % 60000];
  return `${minutes}:${String(Math.floor(ms / 1000)).padStart(2, "0")}.${String(ms % 1000).padStart(3, "0")}`;
}

/**
 * Read a place in a clip: "36f" is frame 36, everything else is seconds. Null if it is neither, or outside.
 * `end` allows the clip's length itself, which no frame has.
 */
export function place(text, fps, frames, { end = false } = {}) {
  const named = /^\s*(\d+)\s*f\s*$/i.exec(text);
  const seconds = named ? null : ratio(text);
  if (!named && !seconds) return null;
  const frame = named ? Number(named[1]) : frameAt(seconds, fps);
  return frame <= (end ? frames : frames - 1) ? frame : null;
}

/** A window of at least one frame inside the clip, however it was dragged. */
export function fit(start, stop, frames) {
  const [low, high] = start <= stop ? [start, stop] : [stop, start];
  const first = Math.min(Math.max(0, Math.round(low)), frames - 1);
  return [first, Math.min(frames, Math.max(first + 1, Math.round(high)))];
}

/** Move a window without changing its length. */
export function shift([start, stop], by, frames) {
  const length = stop - start;
  const first = Math.min(Math.max(0, Math.round(start + by)), frames - length);
  return [first, first + length];
}
