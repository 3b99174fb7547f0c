// Curves under the strip, on the strip's own scale: one value for each pair of neighbouring frames.
import { html } from "./html.mjs";
import { useState } from "preact/hooks";

const number = (value) => (value === null ? "none" : value.toPrecision(3));

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** A line that breaks where a value is missing; x is the frame that the pair leads to. */
function path(values, [lowest, highest]) {
  let pen = "M";
  return values
    .map((value, index) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const point = `${pen}${index + 1} ${((highest - value) / (highest - lowest)).toFixed(4)}`;
      pen = "L";
      return point;
    })
    .join("");
}

export function Curve({ title, explained, values, before, frames, marks }) {
  const [table, setTable] = useState(false);
  const known = values.filter((value) => value !== null);
  if (!known.length) return null;
  const all = [...known, ...(before ?? []).filter((value) => value !== null)];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const margin = (most - least) * 0.1 || most * 0.1 || 1;
  const range = [least - margin, most + margin];
  const said = `${title}: lowest ${number(Math.min(...known))}, median ${number(median(known))}, highest ${number(Math.max(...known))}`;
  return html`<figure class="curve">
    <svg viewBox=${`0 0 ${frames} 1`} preserveAspectRatio="none" role="img" aria-label=${said}>
      ${marks.map(([from, to]) => html`<rect class="mark" x=${from} width=${to - from} y="0" height="1" />`)}
      ${before && html`<path class="before" d=${path(before, range)} />`}
      <path class="after" d=${path(values, range)} />
    </svg>
    <figcaption><span>${said}${before && html`; <span class="dashed">dashed</span>: before`}<br /><small>${explained}</small></span>
      <button type="button" aria-expanded=${table} onClick=${() => setTable(!table)}>Table</button></figcaption>
    ${table && html`<div class="table" tabindex="0" role="region" aria-label=${`${title}, table`}><table>
      <thead><tr><th scope="col">Frame</th><th scope="col">This take</th>${before && html`<th scope="col">Before</th>`}</tr></thead>
      <tbody>${values.map((value, index) => html`<tr><th scope="row">${index + 1}</th><td>${number(value)}</td>
        ${before && html`<td>${number(before[index])}</td>`}</tr>`)}</tbody></table></div>`}
  </figure>`;
}
