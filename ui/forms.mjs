// What a person asks for: a new clip, or new takes of a window.
import { useState } from "preact/hooks";
import { html } from "./html.mjs";

const value = (event) => event.currentTarget.value;

function Provider({ providers, chosen, onChoose }) {
  const found = providers.find((provider) => provider.name === chosen);
  return html`<label>Provider
    <select value=${chosen} onChange=${(event) => onChoose(value(event))}>
      ${providers.map((provider) => html`<option value=${provider.name} disabled=${provider.available === false}>
        ${provider.name}${provider.available === false ? " (not available)" : ""}</option>`)}
    </select>
    ${found?.missing && html`<small>${found.missing}</small>`}</label>`;
}

export function NewClip({ presets, providers, busy, onSubmit }) {
  const [spec, setSpec] = useState({
    prompt: "", negative_prompt: "", style_preset: "cinematic", seconds: "2", fps: "24", width: "768", height: "768",
    seed: "0", provider: "mock",
  });
  const set = (name) => (event) => setSpec({ ...spec, [name]: value(event) });
  const submit = (event) => {
    event.preventDefault();
    onSubmit({
      ...spec,
      // Left empty, the usual faults are avoided; that is what null asks for.
      negative_prompt: spec.negative_prompt || null,
      style_preset: spec.style_preset || null,
      width: Number(spec.width),
      height: Number(spec.height),
      seed: Number(spec.seed),
    });
  };
  const field = (name, label, more = {}) => html`<label>${label}
    <input required value=${spec[name]} onInput=${set(name)} ...${more} /></label>`;
  return html`<form class="panel" onSubmit=${submit} aria-labelledby="new-clip">
    <h2 id="new-clip">New clip</h2>
    <label>Prompt <textarea required rows="3" value=${spec.prompt} onInput=${set("prompt")}></textarea></label>
    <label>Avoid <input value=${spec.negative_prompt} onInput=${set("negative_prompt")}
      placeholder="the usual faults" /></label>
    <div class="row">
      <label>Preset <select value=${spec.style_preset} onChange=${set("style_preset")}>
        <option value="">none</option>
        ${Object.keys(presets).map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
      <${Provider} providers=${providers} chosen=${spec.provider}
        onChoose=${(provider) => setSpec({ ...spec, provider })} />
    </div>
    <div class="row">${field("seconds", "Seconds")}${field("fps", "Frames/s")}
      ${field("seed", "Seed", { type: "number", min: 0, step: 1 })}</div>
    <div class="row">${field("width", "Width", { type: "number", min: 16, step: 2 })}
      ${field("height", "Height", { type: "number", min: 16, step: 2 })}</div>
    <button class="go" disabled=${busy}>Generate</button>
  </form>`;
}

export function Regenerate({ clip, window: selected, providers, busy, onSubmit }) {
  const [prompt, setPrompt] = useState(null);
  const [seed, setSeed] = useState("1");
  const [takes, setTakes] = useState("1");
  const [provider, setProvider] = useState(clip.asked.provider);
  const text = prompt ?? clip.asked.prompt;
  const submit = (event) => {
    event.preventDefault();
    onSubmit({ prompt: text, seed: Number(seed), takes: Number(takes), provider });
  };
  return html`<form class="panel regenerate" onSubmit=${submit} aria-labelledby="regenerate">
    <h2 id="regenerate">Regenerate the window</h2>
    <label>Prompt <textarea required rows="2" value=${text}
      onInput=${(event) => setPrompt(value(event))}></textarea></label>
    <div class="row">
      <label>First seed <input type="number" min="0" step="1" required value=${seed}
        onInput=${(event) => setSeed(value(event))} /></label>
      <label>Takes <input type="number" min="1" max="16" step="1" required value=${takes}
        onInput=${(event) => setTakes(value(event))} /></label>
      <${Provider} providers=${providers} chosen=${provider} onChoose=${setProvider} />
    </div>
    <button class="go" disabled=${busy || !selected}>
      ${selected ? `Regenerate ${selected[1] - selected[0]} frames` : "Mark a window first"}</button>
  </form>`;
}
