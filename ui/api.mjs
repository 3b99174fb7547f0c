// The only module that talks to the server. Errors carry what the server's problem document says.

export class ApiError extends Error {
  constructor(problem, status) {
    super([problem.title, problem.detail].filter(Boolean).join(": ") || `the server answered ${status}`);
    this.status = status;
    this.remedy = problem.remedy ?? "";
  }
}

const SILENT = { title: "The server does not answer", detail: "is a1-reactor serve still running?" };

async function request(path, { method = "GET", body, headers = {} } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(SILENT, 0);
  }
  const json = /json/.test(answer.headers.get("Content-Type") ?? "");
  const value = json ? await answer.json() : null;
  if (!answer.ok) throw new ApiError(value ?? {}, answer.status);
  return value;
}

const clip = (id) => `/v1/clips/${encodeURIComponent(id)}`;
const job = (id) => `/v1/jobs/${encodeURIComponent(id)}`;

export const artifactUrl = (id) => `${clip(id)}/artifact`;
export const frameUrl = (id, frame) => `${clip(id)}/frames/${frame}.png`;
export const filmstripUrl = (id, count, height) => `${clip(id)}/filmstrip.png?count=${count}&height=${height}`;
export const reportUrl = (id) => `${clip(id)}/report`;
export const reportPageUrl = (id) => `${clip(id)}/report.html`;
export const previewUrl = (id, name) => `${clip(id)}/preview/${name}`;
export const listPreview = (id) => request(`${clip(id)}/preview`);
export const jobFileUrl = (id) => `${job(id)}/artifact`;

/** A clip as the page uses it: windows are pairs of frames, and the verdict is a word or null. */
const seen = (told) => ({
  ...told,
  windows: told.windows.map((window) => [window.start_frame, window.stop_frame]),
  verdict: told.verdict?.verdict ?? null,
});

export async function listClips(before) {
  const page = await request(`/v1/clips${before ? `?before=${encodeURIComponent(before)}` : ""}`);
  return { clips: page.clips.map(seen), next: page.next };
}
export const getClip = async (id) => seen(await request(clip(id)));
export const getReport = (id) => request(reportUrl(id));
export const judge = async (id, verdict) => seen(await request(`${clip(id)}/verdict`, { method: "POST", body: { verdict } }));
export const undo = () => request("/v1/clips/verdict/undo", { method: "POST" });
export const listPresets = () => request("/v1/presets");
export const listBranches = async () => (await request("/v1/branches")).branches;
export const setBranch = (name, id) =>
  request(`/v1/branches/${encodeURIComponent(name)}`, { method: "PUT", body: { clip: id } });
export const getHealth = () => request("/health");
export const listProviders = async () => (await request("/v1/providers")).providers;
export const getJob = (id) => request(job(id));
export const cancelJob = (id) => request(`${job(id)}/cancel`, { method: "POST" });
export const resumeJob = (id) => request(`${job(id)}/resume`, { method: "POST" });
/** Jobs that have not ended, the first to run first. */
export const listUnfinished = async () =>
  (await request("/v1/jobs?state=queued&state=running&state=paused&limit=200")).jobs.reverse();

/** One key per intent: a request that is sent again after a lost answer starts nothing twice. */
export const createJob = (spec, key = crypto.randomUUID()) =>
  request("/v1/jobs", { method: "POST", body: spec, headers: { "Idempotency-Key": key } });

export const exportClip = (id, asked, key = crypto.randomUUID()) =>
  request(`${clip(id)}/exports`, { method: "POST", body: asked, headers: { "Idempotency-Key": key } });

/**
 * Send a video; `told` gets the share that has been sent. Not by fetch, which does not say how far it is.
 * Aborting `signal` stops it.
 */
export function importVideo(file, { prompt, reduceDepth }, { told, signal }) {
  const query = new URLSearchParams({ name: file.name });
  if (prompt) query.set("prompt", prompt);
  if (reduceDepth) query.set("reduce_depth", "true");
  return new Promise((resolve, reject) => {
    const sent = new XMLHttpRequest();
    sent.open("POST", `/v1/imports?${query}`);
    sent.responseType = "json";
    sent.setRequestHeader("Accept", "application/json");
    sent.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    sent.onload = () =>
      sent.status < 300 ? resolve(sent.response) : reject(new ApiError(sent.response ?? {}, sent.status));
    sent.onerror = () => reject(new ApiError(SILENT, 0));
    sent.onabort = () => resolve(null);
    signal.addEventListener("abort", () => sent.abort());
    sent.send(file);
  });
}

export const ended = (state) => ["succeeded", "failed", "canceled"].includes(state.state);

const AGAIN_MS = 1000;

/**
 * Follow a job until it ends; `told` gets every state of it, and `lost` whether the server has gone meanwhile. A stream
 * that broke is opened again and tells what was missed. Returns a function that stops following.
 */
export function follow(id, { told, lost, failed }) {
  let events = null;
  let known = null;
  let timer = null;
  let over = false;
  const stop = () => {
    over = true;
    clearTimeout(timer);
    events?.close();
  };
  const show = (change) => {
    known = { ...known, ...change };
    told(known);
  };
  const look = async () => {
    try {
      const found = await getJob(id);
      if (over) return;
      lost(false);
      if (ended(found)) stop();
      show(found);
    } catch (error) {
      if (over) return;
      // A server that has gone, or begins this moment, will be there.
      if (error.status === 0 || error.status === 503) return lost(true);
      stop();
      failed(error);
    }
  };
  const open = () => {
    events = new EventSource(`${job(id)}/events`);
    events.addEventListener("open", look);
    events.addEventListener("state", look);
    events.addEventListener("progress", (event) => {
      const { phase, progress, facts } = JSON.parse(event.data);
      if (known) show({ phase, progress, ...(facts && "draft" in facts ? { draft: facts.draft } : {}) });
    });
    events.addEventListener("error", () => {
      if (over) return;
      look();
      // A browser tries again by itself, but for an answer that is no stream.
      if (events.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
  };
  open();
  return stop;
}
