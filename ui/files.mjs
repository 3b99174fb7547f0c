// Files in and out: a video of one's own, and a clip for other programs.
import { useRef, useState } from "preact/hooks";
import { artifactUrl, importVideo, jobFileUrl, reportPageUrl, reportUrl } from "./api.mjs";
import { html } from "./html.mjs";

const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

export function Import({ most, onJob, onError }) {
  const [file, setFile] = useState(null);
  const [prompt, setPrompt] = useState("");
  const [reduceDepth, setReduceDepth] = useState(false);
  const [sent, setSent] = useState(null);
  const stop = useRef(null);
  const large = file && most && file.size > most;
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    stop.current = new AbortController();
    setSent(0);
    try {
      const job = await importVideo(file, { prompt, reduceDepth }, { told: setSent, signal: stop.current.signal });
      if (job) {
        onJob(job);
        form.reset();
        setFile(null);
        setPrompt("");
      }
    } catch (error) {
      onError(error);
    } finally {
      setSent(null);
    }
  };
  return html`<form class="panel" onSubmit=${submit} aria-labelledby="import">
    <h2 id="import">A video of your own</h2>
    <label>File <input type="file" required accept="video/*,.mkv,.mov,.mp4,.webm"
      onChange=${(event) => setFile(event.currentTarget.files[0] ?? null)} /></label>
    ${large && html`<small class="wrong" role="alert">${size(file.size)}; this server takes at most ${size(most)}</small>`}
    <label>What it shows <input value=${prompt} placeholder="its name" maxlength="4000"
      onInput=${(event) => setPrompt(event.currentTarget.value)} /></label>
    <label class="check"><input type="checkbox" checked=${reduceDepth}
      onChange=${(event) => setReduceDepth(event.currentTarget.checked)} /> Round 10 bits per sample to 8</label>
    ${sent === null
      ? html`<button class="go" disabled=${!file || large}>Import</button>`
      : html`<div class="sending"><progress max="1" value=${sent} aria-label="Sent"></progress>
          <button type="button" onClick=${() => stop.current.abort()}>Stop</button></div>`}
  </form>`;
}

const FORMATS = [
  ["mp4", "mp4, with its sound"], ["webm", "webm (VP9), slow"], ["gif", "gif, 256 colours, slow"],
  ["zip", "zip of PNG stills"],
];

export function Export({ clip, jobs, onSubmit }) {
  const [format, setFormat] = useState("mp4");
  const [mute, setMute] = useState(false);
  const [width, setWidth] = useState(String(Math.min(480, clip.width)));
  const moving = format === "mp4" || format === "webm";
  const submit = (event) => {
    event.preventDefault();
    onSubmit({ format, mute: moving && mute, width: format === "gif" ? Number(width) : null });
  };
  return html`<form class="panel" onSubmit=${submit} aria-labelledby="export">
    <h2 id="export">Take it with you</h2>
    <div class="options">
      <label>Format <select value=${format} onChange=${(event) => setFormat(event.currentTarget.value)}>
        ${FORMATS.map(([name, label]) => html`<option value=${name}>${label}</option>`)}</select></label>
      ${format === "gif" && html`<label>Width <input type="number" min="16" max="4096" required value=${width}
        onInput=${(event) => setWidth(event.currentTarget.value)} /></label>`}
      ${moving && html`<label class="check"><input type="checkbox" checked=${mute}
        onChange=${(event) => setMute(event.currentTarget.checked)} /> Without sound</label>`}
      <button>Export</button>
    </div>
    ${jobs.length > 0 && html`<ul class="files" aria-label="Exported files">${jobs.map((job) => html`<li key=${job.id}>
      <a href=${jobFileUrl(job.id)} download>${job.spec.clip}.${job.spec.format}</a>
      ${job.notes.length > 0 && html` <small>${job.notes.join(", ")}</small>`}</li>`)}</ul>`}
    <p class="links"><a href=${artifactUrl(clip.id)} download=${`${clip.id}.mp4`}>The mp4 as it is</a>
      <a href=${reportPageUrl(clip.id)}>Report</a>
      <a href=${reportUrl(clip.id)}>as JSON</a></p>
  </form>`;
}
