// Two clips of equal length, shown one over the other or side by side, always at the same frame.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { artifactUrl, frameUrl } from "./api.mjs";
import { html } from "./html.mjs";
import { secondsAt } from "./time.mjs";

export const MODES = [
  ["single", "This take", "1"],
  ["side", "Side by side", "2"],
  ["wipe", "Wipe", "3"],
  ["blink", "Blink", "4"],
  ["difference", "Difference", "5"],
];

const BLINK_MS = 500;
const STILL_MS = 150;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** A moment in the middle of a frame: at its edges players differ in which of two frames they show. */
const middle = (frame, fps) => secondsAt(frame, fps) + secondsAt(1, fps) / 2;

/** Keep two players together while they play, and tell which frame they are at. */
function usePlayback(refs, { fps, frames, frame, playing, onFrame, onEnd }) {
  useEffect(() => {
    if (playing) return;
    for (const { current: video } of refs) if (video) video.currentTime = middle(frame, fps);
  }, [playing, frame, fps, ...refs.map((ref) => ref.current?.src)]);

  useEffect(() => {
    const [lead, other] = refs.map((ref) => ref.current);
    if (!playing || !lead) return undefined;
    let alive = true;
    const both = [lead, other].filter(Boolean);
    const step = (_, shown) => {
      if (!alive) return;
      if (other && Math.abs(other.currentTime - lead.currentTime) > secondsAt(1, fps) / 2) {
        other.currentTime = lead.currentTime;
      }
      onFrame(Math.min(frames - 1, Math.floor((shown.mediaTime * Number(fps[0])) / Number(fps[1]) + 1e-6)));
      lead.requestVideoFrameCallback(step);
    };
    lead.requestVideoFrameCallback(step);
    lead.addEventListener("ended", onEnd);
    for (const video of both) video.play().catch(onEnd);
    return () => {
      alive = false;
      lead.removeEventListener("ended", onEnd);
      for (const video of both) video.pause();
    };
  }, [playing]);
}

/** The stored frame itself, once a player stands still: what is encoded is only near to it. */
function Still({ id, frame, playing, label }) {
  const [shown, setShown] = useState(null);
  useEffect(() => {
    setShown(null);
    if (playing) return undefined;
    const timer = setTimeout(() => setShown(frame), STILL_MS);
    return () => clearTimeout(timer);
  }, [id, frame, playing]);
  return shown === null ? null : html`<img class="still" src=${frameUrl(id, shown)} alt=${`${label}, frame ${shown}`} />`;
}

function Layer({ name, id, frame, playing, video, label, layer }) {
  return html`<div class=${`layer ${name}`} ref=${layer}>
    <video ref=${video} src=${artifactUrl(id)} muted playsinline preload="auto" aria-label=${label}></video>
    <${Still} id=${id} frame=${frame} playing=${playing} label=${label} />
  </div>`;
}

export function Players({ clip, other, mode, wipe, fps, frames, frame, playing, onFrame, onEnd, onWipe }) {
  const [ours, theirs] = [useRef(null), useRef(null)];
  const [top, screen] = [useRef(null), useRef(null)];
  const [flipped, setFlipped] = useState(false);
  const shown = other ? mode : "single";
  usePlayback(other ? [ours, theirs] : [ours], { fps, frames, frame, playing, onFrame, onEnd });

  useEffect(() => {
    setFlipped(false);
    if (mode !== "blink" || calm.matches) return undefined;
    const timer = setInterval(() => setFlipped((is) => !is), BLINK_MS);
    return () => clearInterval(timer);
  }, [mode]);
  // Set as properties: the page's policy allows no style attributes.
  useLayoutEffect(() => {
    const shape = ((shown === "side" ? 2 : 1) * clip.width) / clip.height;
    screen.current.style.aspectRatio = String(shape);
    screen.current.style.width = `min(100%, calc(62vh * ${shape}))`;
    if (!top.current) return;
    top.current.style.clipPath = mode === "wipe" && other ? `inset(0 0 0 ${wipe}%)` : "";
    top.current.style.opacity = mode === "blink" && flipped ? "0" : "";
  });

  return html`<div class=${`stage ${shown}`}>
    <div class="screen" ref=${screen}>
      ${other && shown !== "single" && html`<${Layer} name="before" id=${other.id} video=${theirs} label="Before"
        frame=${frame} playing=${playing} />`}
      <${Layer} name="after" id=${clip.id} video=${ours} layer=${top} label=${other ? "This take" : "Clip"}
        frame=${frame} playing=${playing} />
    </div>
    ${shown === "wipe" && html`<label class="wipe">Before
      <input type="range" min="0" max="100" value=${wipe} aria-label="Where the take begins"
        onInput=${(event) => onWipe(Number(event.currentTarget.value))} /> This take</label>`}
    ${shown === "blink" && calm.matches && html`<button type="button" onClick=${() => setFlipped(!flipped)}>
      Show ${flipped ? "this take" : "before"}</button>`}
  </div>`;
}
