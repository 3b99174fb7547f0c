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

const WORDS = "";
const DSL = ":";

/** What the clip shows: plain words, key:value words, or a template whose holes are filled. */
function Prompt({ templates, said, onSay }) {
  const template = templates[said.way];
  const set = (change) => onSay({ ...said, ...change });
  return html`
    ${template
      ? template.holes.map((hole) => html`<label key=${hole}>${hole}
          <input required maxlength="4000" value=${said.holes[hole] ?? ""}
            onInput=${(event) => set({ holes: { ...said.holes, [hole]: value(event) } })} /></label>`)
      : html`<label>Prompt <textarea required rows="3" maxlength="4000" value=${said.text}
          placeholder=${said.way === DSL ? 'subject:"red fox" light:dusk lens:35mm' : ""}
          onInput=${(event) => set({ text: value(event) })}></textarea></label>`}
    <label>Said as <select value=${said.way} onChange=${(event) => set({ way: value(event) })}>
      <option value=${WORDS}>words</option><option value=${DSL}>key:value words</option>
      ${Object.keys(templates).map((name) => html`<option value=${name}>template ${name}</option>`)}</select></label>
    ${template && html`<small>${template.text}</small>`}`;
}

/** The prompt as a request says it. */
const spoken = ({ way, text, holes }, templates) =>
  way === WORDS ? { prompt: text }
  : way === DSL ? { prompt_dsl: text }
  : { template: { name: way, ...Object.fromEntries(templates[way].holes.map((hole) => [hole, holes[hole]])) } };

/** Whether it makes a clip from words; where that is not known, the server says. */
const generates = ({ capabilities }) => !capabilities || capabilities.modes.includes("full");

export function NewClip({ presets, templates, providers, onSubmit }) {
  const [said, setSaid] = useState({ way: WORDS, text: "", holes: {} });
  const [spec, setSpec] = useState({
    negative_prompt: "", style_preset: "cinematic", seconds: "2", fps: "24", width: "768", height: "768", seed: "0",
    provider: "mock",
  });
  const set = (name) => (event) => setSpec({ ...spec, [name]: value(event) });
  const submit = (event) => {
    event.preventDefault();
    onSubmit({
      ...spoken(said, templates),
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
    <${Prompt} templates=${templates} said=${said} onSay=${setSaid} />
    <label>Avoid <input value=${spec.negative_prompt} onInput=${set("negative_prompt")}
      placeholder="the usual faults" /></label>
    <div class="row">
      <label>Preset <select value=${spec.style_preset} onChange=${set("style_preset")}>
        <option value="">none</option>
        ${Object.keys(presets).map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
      <${Provider} providers=${providers.filter(generates)} chosen=${spec.provider}
        onChoose=${(provider) => setSpec({ ...spec, provider })} />
    </div>
    <div class="row">${field("seconds", "Seconds")}${field("fps", "Frames/s")}
      ${field("seed", "Seed", { type: "number", min: 0, step: 1 })}</div>
    <div class="row">${field("width", "Width", { type: "number", min: 16, step: 2 })}
      ${field("height", "Height", { type: "number", min: 16, step: 2 })}</div>
    <button class="go">Generate</button>
  </form>`;
}

export function Regenerate({ clip, window: selected, providers, onSubmit }) {
  const [prompt, setPrompt] = useState(null);
  const [seed, setSeed] = useState("1");
  const [takes, setTakes] = useState("1");
  // A file that was imported makes no new frames.
  const made = providers.some((one) => one.name === clip.asked.provider);
  const [chosen, setChosen] = useState(null);
  const provider = chosen ?? (made ? clip.asked.provider : "mock");
  const text = prompt ?? clip.asked.prompt;
  const submit = (event) => {
    event.preventDefault();
    onSubmit({ prompt: text, seed: Number(seed), takes: Number(takes), provider });
  };
  return html`<form class="panel regenerate" onSubmit=${submit} aria-labelledby="regenerate">
    <h2 id="regenerate">Regenerate the window</h2>
    <label>Prompt <textarea required rows="2" maxlength="4000" value=${text}
      onInput=${(event) => setPrompt(value(event))}></textarea></label>
    <div class="row">
      <label>First seed <input type="number" min="0" step="1" required value=${seed}
        onInput=${(event) => setSeed(value(event))} /></label>
      <label>Takes <input type="number" min="1" max="64" step="1" required value=${takes}
        onInput=${(event) => setTakes(value(event))} /></label>
      <${Provider} providers=${providers} chosen=${provider} onChoose=${setChosen} />
    </div>
    <button class="go" disabled=${!selected}>
      ${selected ? `Regenerate ${selected[1] - selected[0]} frames` : "Mark a window first"}</button>
  </form>`;
}
