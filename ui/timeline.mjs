// The filmstrip with a window on it. Everything that can be dragged can also be moved by keys and typed.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { filmstripUrl } from "./api.mjs";
import { html } from "./html.mjs";
import { clock, fit, place, shift } from "./time.mjs";

const THUMB_HEIGHT = 72;
const [FEWEST, MOST] = [4, 60];

function Handle({ edge, value, min, max, fps, at, onMove, onGrab }) {
  const ref = useRef(null);
  useLayoutEffect(() => {
    ref.current.style.left = `${at}%`;
  });
  const keys = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
  const move = (event) => {
    const by = event.key === "Home" ? min - value : event.key === "End" ? max - value : keys[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onMove(Math.min(max, Math.max(min, value + by * (event.shiftKey ? 10 : 1))));
  };
  return html`<div ref=${ref} class=${`handle ${edge}`} role="slider" tabindex="0" aria-label=${`Window ${edge}`}
    aria-valuemin=${min} aria-valuemax=${max} aria-valuenow=${value}
    aria-valuetext=${`frame ${value}, ${clock(value, fps)}`} onKeyDown=${move} onPointerDown=${onGrab}></div>`;
}

/** A stretch of the strip. */
function Zone({ name, from, to, frames, title, onPointerDown }) {
  const ref = useRef(null);
  useLayoutEffect(() => {
    ref.current.style.left = `${(100 * from) / frames}%`;
    ref.current.style.width = `${(100 * (to - from)) / frames}%`;
  });
  return html`<div ref=${ref} class=${`zone ${name}`} title=${title} onPointerDown=${onPointerDown}></div>`;
}

/** Seconds or "36f"; what cannot be read is said, and the window stays. */
function Edge({ label, value, fps, frames, end, onChange }) {
  const [text, setText] = useState(null);
  const found = text === null ? value : place(text, fps, frames, { end });
  const done = () => {
    if (text !== null && found !== null) onChange(found);
    setText(null);
  };
  return html`<label>${label}
    <input value=${text ?? clock(value, fps)} size="9" inputmode="decimal" aria-invalid=${found === null}
      title="seconds, a time code, or frames such as 36f"
      onFocus=${(event) => event.currentTarget.select()} onInput=${(event) => setText(event.currentTarget.value)}
      onBlur=${done} onKeyDown=${(event) => event.key === "Enter" && done()} />
    <small>${found === null ? "not in the clip" : `frame ${found}`}</small></label>`;
}

/** How many pictures fill the strip without being squeezed; null before it is known how wide it is. */
function useThumbs(strip, clip) {
  const [count, setCount] = useState(null);
  useLayoutEffect(() => {
    const measure = () => {
      const fitting = (strip.current.clientWidth * clip.height) / (THUMB_HEIGHT * clip.width);
      setCount(Math.min(MOST, Math.max(FEWEST, Math.round(fitting))));
    };
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, [clip.width, clip.height]);
  return count;
}

export function Timeline({ clip, fps, frames, frame, window: selected, used, touched, onSeek, onWindow }) {
  const strip = useRef(null);
  const head = useRef(null);
  const thumbs = useThumbs(strip, clip);
  useLayoutEffect(() => {
    head.current.style.left = `${(100 * (frame + 0.5)) / frames}%`;
  });
  const under = (event) => {
    const box = strip.current.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * frames;
  };
  /** Follow the pointer until it is let go; `moved` gets the place under it, in frames. */
  const drag = (event, moved, clicked) => {
    if (event.button) return;
    event.preventDefault();
    event.stopPropagation();
    const begun = event.clientX;
    let far = false;
    const move = (next) => {
      far ||= Math.abs(next.clientX - begun) > 3;
      if (far) moved(under(next));
    };
    const up = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
      if (!far) clicked?.();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
  };
  const seek = (at) => onSeek(Math.min(frames - 1, Math.max(0, Math.floor(at))));
  const make = (event) => {
    const from = under(event);
    drag(event, (to) => onWindow(fit(from, to, frames)), () => seek(from));
  };
  const slide = (event) => {
    const from = under(event);
    drag(event, (to) => onWindow(shift(selected, to - from, frames)), () => seek(from));
  };
  const [start, stop] = selected ?? [0, 0];
  return html`<section class="timeline" aria-label="Timeline">
    <div class="strip" ref=${strip} onPointerDown=${make}>
      ${thumbs && html`<img src=${filmstripUrl(clip.id, thumbs, THUMB_HEIGHT)} alt="" draggable=${false} />`}
      ${touched.map(([from, to]) => html`<${Zone} name="touched" from=${from} to=${to} frames=${frames}
        title="segments of the video that are not the parent's own" />`)}
      ${used.map(([from, to]) => html`<${Zone} name="used" from=${from} to=${to} frames=${frames}
        title="frames that were regenerated" />`)}
      ${selected && html`
        <${Zone} name="window" from=${start} to=${stop} frames=${frames} title="" onPointerDown=${slide} />
        <${Handle} edge="start" value=${start} min=${0} max=${stop - 1} fps=${fps} at=${(100 * start) / frames}
          onMove=${(to) => onWindow([to, stop])}
          onGrab=${(event) => drag(event, (to) => onWindow(fit(Math.min(to, stop - 1), stop, frames)))} />
        <${Handle} edge="end" value=${stop} min=${start + 1} max=${frames} fps=${fps} at=${(100 * stop) / frames}
          onMove=${(to) => onWindow([start, to])}
          onGrab=${(event) => drag(event, (to) => onWindow(fit(start, Math.max(to, start + 1), frames)))} />`}
      <div class="playhead" ref=${head}></div>
    </div>
    <div class="edges">
      ${selected
        ? html`<${Edge} label="From" value=${start} fps=${fps} frames=${frames}
              onChange=${(to) => onWindow(fit(to, Math.max(stop, to + 1), frames))} />
            <${Edge} label="To" value=${stop} fps=${fps} frames=${frames} end
              onChange=${(to) => onWindow(fit(Math.min(start, to - 1), to, frames))} />
            <output>${stop - start} of ${frames} frames</output>
            <button type="button" onClick=${() => onWindow(null)}>Clear</button>`
        : html`<p>Drag over the strip, press <kbd>[</kbd> and <kbd>]</kbd>, or${" "}
            <button type="button" onClick=${() => onWindow(fit(frame, frame + frames / 4, frames))}>
              mark a window here</button></p>`}
    </div>
  </section>`;
}
