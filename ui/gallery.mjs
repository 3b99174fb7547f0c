// The clips of the workspace: as a wall where none is chosen, as a list beside the one that is; and a clip's own head.
import { useState } from "preact/hooks";
import { frameUrl } from "./api.mjs";
import { html } from "./html.mjs";

const LONG = 160;

const facts = (clip) =>
  [
    `${clip.seconds.toFixed(clip.seconds < 10 ? 1 : 0)} s`,
    `${clip.width}×${clip.height}`,
    clip.parent && "window regenerated",
    clip.verdict && { keep: "kept", reject: "rejected" }[clip.verdict],
    ...clip.branches,
  ].filter(Boolean).join(", ");

const Older = ({ more, onMore }) => more && html`<button type="button" onClick=${onMore}>Older clips</button>`;

export function ClipList({ clips, currentId, more, onMore }) {
  return html`<section class="panel" aria-labelledby="clips">
    <h2 id="clips">Clips</h2>
    <ul class="clips">${clips.map((clip) => html`<li key=${clip.id}>
      <a href=${`#clip=${clip.id}`} aria-current=${clip.id === currentId ? "page" : undefined}>
        <img loading="lazy" src=${frameUrl(clip.id, 0)} alt="" />
        <span>${clip.prompt}</span><small>${facts(clip)}</small>
      </a></li>`)}</ul>
    <${Older} more=${more} onMore=${onMore} />
  </section>`;
}

function Branches({ branches }) {
  const names = Object.keys(branches);
  return names.length > 0 && html`<p class="links"><span>Branches:</span>
    ${names.map((name) => html`<a key=${name} href=${`#clip=${branches[name]}`}>${name}</a>`)}</p>`;
}

export function Gallery({ clips, branches, more, onMore }) {
  if (!clips.length) {
    return html`<ol class="steps">
      <li>Describe a clip and press <b>Generate</b>, or import a video of your own.</li>
      <li>Drag over its filmstrip to mark what you do not like, and regenerate only that.</li>
      <li>Compare the takes and keep one. Every frame outside the window stays the same file.</li>
    </ol>
    <p>In a terminal: <code>a1-reactor demo --prompt "…"</code></p>`;
  }
  return html`<${Branches} branches=${branches} />
    <ul class="gallery">${clips.map((clip) => html`<li key=${clip.id}><a href=${`#clip=${clip.id}`}>
      <img loading="lazy" src=${frameUrl(clip.id, Math.floor(clip.frames / 2))} alt="" />
      <span>${clip.prompt}</span><small>${facts(clip)}</small></a></li>`)}</ul>
    <${Older} more=${more} onMore=${onMore} />`;
}

/** The prompt, cut where it is long, and the clip's names. */
export function Heading({ clip, branches, onBranch }) {
  const [whole, setWhole] = useState(false);
  const [name, setName] = useState(null);
  const long = clip.prompt.length > LONG;
  const shown = long && !whole ? `${clip.prompt.slice(0, LONG).replace(/\s+\S*$/, "")}…` : clip.prompt;
  const submit = (event) => {
    event.preventDefault();
    onBranch(name.trim());
    setName(null);
  };
  return html`<div class="head"><h1>${shown}</h1>
    ${long && html`<button type="button" aria-expanded=${whole} onClick=${() => setWhole(!whole)}>
      ${whole ? "Shorter" : "All of it"}</button>`}
    <div class="links"><small>${facts(clip)}</small>
      ${clip.parent && html`<a href=${`#clip=${clip.parent}`}>The clip before</a>`}
      ${name === null
        ? html`<button type="button" onClick=${() => setName("")}>Branch…</button>`
        : html`<form class="inline" onSubmit=${submit}>
            <label>Name <input required maxlength="80" list="branches" value=${name}
              onInput=${(event) => setName(event.currentTarget.value)} /></label>
            <datalist id="branches">${Object.keys(branches).map((one) => html`<option value=${one} />`)}</datalist>
            <button>Point it here</button><button type="button" onClick=${() => setName(null)}>Cancel</button></form>`}
    </div></div>`;
}
