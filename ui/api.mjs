// The only module that talks to the server. Errors carry what the server's problem document says.

export class ApiError extends Error {
  constructor(problem, status) {
    super([problem.title, problem.detail].filter(Boolean).join(": ") || `the server answered ${status}`);
    this.status = status;
    this.remedy = problem.remedy ?? "";
  }
}

async function request(path, { method = "GET", body, headers = {} } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError({ title: "the server does not answer", detail: "is a1-reactor serve still running?" }, 0);
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
export const listPresets = async () => (await request("/v1/presets")).presets;
export const listProviders = async () => (await request("/v1/providers")).providers;
export const getJob = (id) => request(job(id));
export const cancelJob = (id) => request(`${job(id)}/cancel`, { method: "POST" });

/** One key per intent: a request that is sent again after a lost answer starts nothing twice. */
export const createJob = (spec, key = crypto.randomUUID()) =>
  request("/v1/jobs", { method: "POST", body: spec, headers: { "Idempotency-Key": key } });

export const ended = (state) => ["succeeded", "failed", "canceled"].includes(state.state);

/**
 * Follow a job until it ends; `told` gets every state of it. The browser connects again by itself and is told what it
 * missed. Returns a function that stops following.
 */
export function follow(id, told, failed) {
  const events = new EventSource(`${job(id)}/events`);
  let known = null;
  const show = (change) => {
    known = { ...known, ...change };
    told(known);
  };
  const look = async () => {
    try {
      show(await getJob(id));
      if (ended(known)) events.close();
    } catch (error) {
      events.close();
      failed(error);
    }
  };
  events.addEventListener("open", look);
  events.addEventListener("state", look);
  events.addEventListener("progress", (event) => {
    const { phase, progress } = JSON.parse(event.data);
    if (known) show({ phase, progress });
  });
  return () => events.close();
}
