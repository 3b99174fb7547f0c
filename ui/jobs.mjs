// What is being done: the job at work with what it has made so far, and those that wait behind it.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import * as api from "./api.mjs";
import { html } from "./html.mjs";
import { Live } from "./live.mjs";
import { ratio, secondsAt } from "./time.mjs";

const TITLES = { clip: "Clip", import: "Import", export: "Export" };
const LONG = 50;
const PHASES = {
  generate: "making frames", prepare: "getting ready", regen: "making the window's frames", blend: "blending",
  preview: "blending", score: "storing and measuring", stitch: "putting the video together", export: "writing the file",
};

/**
 * The jobs of the workspace that have not ended, kept up to date, and the one that this page saw end last. Only one is
 * followed by a stream: browsers open few connections to one server. `done` is called with each that ends.
 */
export function useJobs({ done, failed }) {
  const [waiting, setWaiting] = useState([]);
  const [last, setLast] = useState(null);
  const [lost, setLost] = useState(false);
  const latest = useRef(done);
  latest.current = done;
  const refresh = useCallback(() => api.listUnfinished().then(setWaiting, failed), []);
  useEffect(() => void refresh(), []);
  const followed = (waiting.find((job) => job.state === "running") ?? waiting.find((job) => job.state === "queued"))?.id;
  useEffect(() => {
    if (!followed) return undefined;
    return api.follow(followed, {
      told: (job) => {
        if (!api.ended(job)) {
          setWaiting((all) => all.map((one) => (one.id === job.id ? job : one)));
          if (job.state === "paused") refresh();
          return;
        }
        // What was made is shown itself; only what else there is to say stays.
        setLast(job.kind !== "export" && job.state === "succeeded" && !job.notes.length ? null : job);
        setWaiting((all) => all.filter((one) => one.id !== job.id));
        refresh();
        latest.current(job);
      },
      lost: setLost,
      failed: (error) => {
        failed(error);
        refresh();
      },
    });
  }, [followed]);
  const add = useCallback((job) => {
    setLast(null);
    setWaiting((all) => (all.some((one) => one.id === job.id) || api.ended(job) ? all : [...all, job]));
    if (api.ended(job)) latest.current(job);
  }, []);
  return { waiting, last, lost, add, refresh, forget: () => setLast(null) };
}

/** Where a clip in the making begins to be new, and how long it will be, in seconds; null where that is not known. */
function extent(job) {
  const { spec } = job;
  if (job.kind !== "clip") return { seconds: null, from: 0 };
  const fps = ratio(spec.fps);
  const seconds = ratio(spec.seconds);
  const first = Math.min(...(spec.windows ?? []).map((window) => window.start_frame));
  return { seconds: Number(seconds[0]) / Number(seconds[1]), from: Number.isFinite(first) ? secondsAt(first, fps) : 0 };
}

/** What it makes, in a few words. */
function title({ kind, spec, takes }) {
  if (kind === "import") return `Import of ${spec.name}`;
  if (kind === "export") return `Export as ${spec.format}`;
  const prompt = spec.prompt.length > LONG ? `${spec.prompt.slice(0, LONG).trimEnd()}…` : spec.prompt;
  return `${spec.windows.length ? (takes > 1 ? `${takes} takes` : "Window") : "Clip"} “${prompt}”`;
}

function Job({ job, lost, actions }) {
  const words = job.state === "running" ? PHASES[job.phase] ?? (job.phase || "starting") : job.state;
  const plays = job.draft ? extent(job) : null;
  return html`<article class=${`job ${job.state}`} aria-label=${TITLES[job.kind]}>
    <p role="status">${lost ? "The server does not answer; this goes on when it is back…" : html`${title(job)}: ${words}…
      ${job.asked_to && html` asked to ${job.asked_to}.`} ${job.message && html`<strong>${job.message}</strong>`}`}</p>
    <div class="bar">
      <progress max="1" value=${job.progress ?? 0} aria-label="Progress"></progress>
      ${job.state === "paused" && html`<button type="button" onClick=${() => actions.resume(job)}>Go on</button>`}
      <button type="button" disabled=${job.asked_to === "cancel"} onClick=${() => actions.cancel(job)}>Cancel</button>
    </div>
    ${plays && html`<${Live} key=${job.draft} id=${job.draft} ...${plays} />`}
    <${Command} job=${job} />
  </article>`;
}

const Command = ({ job }) =>
  job.cli && html`<details><summary>As a command</summary><code tabindex="0">${job.cli}</code></details>`;

function Ended({ job, onAgain, onForget }) {
  return html`<article class=${`job ${job.state}`} aria-label=${TITLES[job.kind]}>
    <p role="status">${title(job)}: ${job.state}. ${job.message && job.state === "failed" && html`<strong>${job.message}</strong>`}
      ${job.notes?.map((note) => html`<br /><small>${note}</small>`)}</p>
    <div class="bar">
      ${job.error_type === "retryable" && html`<button type="button" onClick=${() => onAgain(job)}>Try again</button>`}
      ${job.kind === "export" && job.state === "succeeded" && html`<a class="button" href=${api.jobFileUrl(job.id)} download>
        Download ${job.spec.format}</a>`}
      <button type="button" onClick=${onForget}>Close</button></div>
    <${Command} job=${job} />
  </article>`;
}

export function Jobs({ jobs, actions }) {
  const { waiting, last, lost } = jobs;
  const place = useRef(null);
  // What was asked for below, on a small screen, is at work up here.
  useEffect(() => place.current?.scrollIntoView({ block: "nearest" }), [waiting.length, last?.id]);
  if (!waiting.length && !last) return null;
  return html`<section class="jobs panel" aria-label="Jobs" ref=${place}>
    ${last && html`<${Ended} key=${last.id} job=${last} onAgain=${actions.resume} onForget=${jobs.forget} />`}
    ${waiting.map((job) => html`<${Job} key=${job.id} job=${job} lost=${lost && job.state === "running"} actions=${actions} />`)}
  </section>`;
}
