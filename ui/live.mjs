// A clip while it is being made: the segments that are encoded, played one behind the other as they come.
import { useEffect, useRef, useState } from "preact/hooks";
import { listPreview, previewUrl } from "./api.mjs";
import { html } from "./html.mjs";

const LOOK_MS = 400;
const LEAD_SECONDS = 0.5;

/** What a player has to know of H.264 before its first byte: profile and level, out of the avcC box of `init.mp4`. */
export function codecOf(init) {
  const bytes = new Uint8Array(init);
  const name = [..."avcC"].map((letter) => letter.charCodeAt(0));
  const at = bytes.findIndex((_, start) => name.every((code, index) => bytes[start + index] === code));
  const hex = [...bytes.slice(at + 5, at + 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return at < 0 ? null : `video/mp4; codecs="avc1.${hex}"`;
}

const fetched = async (id, name) => {
  const answer = await fetch(previewUrl(id, name));
  return answer.ok ? answer : null;
};

const appended = (buffer, data) =>
  new Promise((resolve, reject) => {
    buffer.onupdateend = resolve;
    buffer.onerror = () => reject(new Error("the player takes no more"));
    buffer.appendBuffer(data);
  });

/** Feed a player until the clip is whole, or `wanted` says no. Throws where the segments are not those it has begun. */
async function feed(id, source, { wanted, seconds, told }) {
  let buffer = null;
  let done = 0;
  while (wanted()) {
    // Not there for a moment while another attempt begins, or the server has gone: it is asked again.
    const { segments, ended } = await listPreview(id).catch(() => ({ segments: [], ended: false }));
    if (segments.length && !buffer) {
      const init = await (await fetched(id, "init.mp4")).arrayBuffer();
      const codec = codecOf(init);
      if (!wanted() || !codec || !MediaSource.isTypeSupported(codec)) return;
      buffer = source.addSourceBuffer(codec);
      if (seconds !== null) source.duration = seconds;
      await appended(buffer, init);
    }
    if (segments.length < done) throw new Error("the clip was begun anew");
    for (const { file: name, end } of segments.slice(done)) {
      const file = await fetched(id, name);
      if (!file || !wanted()) break;
      await appended(buffer, await file.arrayBuffer());
      done += 1;
      told(end);
    }
    if (ended && done === segments.length) {
      source.endOfStream();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/**
 * The player. It begins at the start, or shortly before the window where one is regenerated: before that all is known.
 * A browser that cannot be fed so, or a clip that has nothing to play yet, shows nothing.
 */
export function Live({ id, seconds, from }) {
  const player = useRef(null);
  const [reached, setReached] = useState(0);
  const [attempt, setAttempt] = useState(0);
  const begin = Math.max(0, from - LEAD_SECONDS);
  useEffect(() => {
    if (!("MediaSource" in globalThis)) return undefined;
    const video = player.current;
    const source = new MediaSource();
    const address = URL.createObjectURL(source);
    let alive = true;
    let begun = false;
    setReached(0);
    const told = (end) => {
      if (!alive) return;
      setReached(end);
      if (begun || end <= from) return;
      begun = true;
      video.currentTime = begin;
      video.play().catch(() => {}); // its controls are there
    };
    const start = () =>
      feed(id, source, { wanted: () => alive && source.readyState === "open", seconds, told })
        .catch(() => alive && setTimeout(() => alive && setAttempt((n) => n + 1), LOOK_MS));
    source.addEventListener("sourceopen", start, { once: true });
    video.src = address;
    return () => {
      alive = false;
      video.removeAttribute("src");
      video.load();
      URL.revokeObjectURL(address);
    };
  }, [id, attempt]);
  return html`<figure class="live" hidden=${reached <= from}>
    <video ref=${player} muted playsinline controls disablepictureinpicture aria-label="What is made so far"></video>
    <figcaption>${reached.toFixed(1)} ${seconds === null ? "" : `of ${seconds.toFixed(1)} `}s can be played already</figcaption>
  </figure>`;
}
