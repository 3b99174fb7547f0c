// The page: what is looked at lives in the address, what is known lives on the server.
import { render } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import * as api from "./api.mjs";
import { Curve } from "./curves.mjs";
import { Export, Import } from "./files.mjs";
import { NewClip, Regenerate } from "./forms.mjs";
import { ClipList, Gallery, Heading } from "./gallery.mjs";
import { html } from "./html.mjs";
import { Jobs, useJobs } from "./jobs.mjs";
import { useKeys } from "./keys.mjs";
import { MODES, Players } from "./players.mjs";
import { Proof } from "./proof.mjs";
import { Takes } from "./takes.mjs";
import { Timeline } from "./timeline.mjs";
import { clock, fit, ratio } from "./time.mjs";

function useAddress() {
  const read = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const [at, setAt] = useState(read);
  useEffect(() => {
    const changed = () => setAt(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const go = useCallback((next) => {
    location.hash = new URLSearchParams(Object.entries(next).filter(([, value]) => value)).toString();
  }, []);
  return [at, go];
}

/** A value from the server; `again` asks for it anew, and an answer that comes too late is dropped. */
function useAnswer(ask, depends, onError) {
  const [value, setValue] = useState(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => setValue(null), depends);
  useEffect(() => {
    let wanted = true;
    ask()?.then((answer) => wanted && setValue(answer), (error) => wanted && onError(error));
    return () => {
      wanted = false;
    };
  }, [...depends, turn]);
  return [value, useCallback(() => setTurn((n) => n + 1), [])];
}

function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "");
  useEffect(() => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  return html`<label class="theme">Theme <select value=${theme} onChange=${(event) => setTheme(event.currentTarget.value)}>
    <option value="">system</option><option value="light">light</option><option value="dark">dark</option></select></label>`;
}

const KEYS = [
  ["Space, K", "play or stand still"], ["J, L, arrows", "a frame back, a frame on (Shift: ten)"],
  ["[ and ]", "the window begins, ends at this frame"], ["1 to 5", "ways to compare"],
  ["Y, N", "keep, reject this take"], ["U", "undo the last choice"], ["?", "these keys"],
];

function Studio({ clip, parent, report, parentReport, takes, takeReports, providers, branches, jobs, files, actions }) {
  const fps = useMemo(() => ratio(clip.fps), [clip.fps]);
  const frames = clip.frames;
  const [frame, setFrame] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [mode, setMode] = useState(parent ? "wipe" : "single");
  const [wipe, setWipe] = useState(50);
  const [selected, setSelected] = useState(null);
  const [help, setHelp] = useState(false);

  // Another take of the same window: stay where one was. Another clip: begin anew, at its window.
  const place = `${clip.parent ?? clip.id}/${JSON.stringify(clip.windows)}`;
  useEffect(() => {
    const first = clip.windows[0] ?? null;
    setSelected(first);
    setFrame(first ? first[0] : 0);
    setPlaying(false);
    setMode(parent ? "wipe" : "single");
  }, [place]);

  const seek = useCallback((to) => {
    setPlaying(false);
    setFrame(Math.min(frames - 1, Math.max(0, to)));
  }, [frames]);
  const step = (by) => seek(frame + by);
  useKeys({
    " ": () => setPlaying(!playing), k: () => setPlaying(!playing),
    j: () => step(-1), l: () => step(1), J: () => step(-10), L: () => step(10),
    ArrowLeft: () => step(-1), ArrowRight: () => step(1),
    "Shift+ArrowLeft": () => step(-10), "Shift+ArrowRight": () => step(10),
    "[": () => setSelected(fit(frame, Math.max(selected?.[1] ?? frames, frame + 1), frames)),
    "]": () => setSelected(fit(Math.min(selected?.[0] ?? 0, frame), frame + 1, frames)),
    y: () => parent && actions.judge(clip.id, "keep"), n: () => parent && actions.judge(clip.id, "reject"),
    u: actions.undo, "?": () => setHelp(!help),
    ...Object.fromEntries(MODES.map(([name, , key]) => [key, () => parent && setMode(name)])),
  });

  const regen = report?.regen;
  const marks = selected ? [selected] : [];
  return html`<main id="studio" tabindex="-1">
    <${Jobs} jobs=${jobs} actions=${actions} />
    <${Heading} clip=${clip} branches=${branches} onBranch=${(name) => actions.branch(name, clip.id)} />
    <${Players} key=${clip.id} clip=${clip} other=${parent} mode=${mode} wipe=${wipe} fps=${fps} frames=${frames}
      frame=${frame} playing=${playing} onFrame=${setFrame} onEnd=${() => setPlaying(false)} onWipe=${setWipe} />
    <div class="transport">
      <button type="button" onClick=${() => step(-1)} aria-label="A frame back">‹</button>
      <button type="button" class="play" onClick=${() => setPlaying(!playing)}>${playing ? "Pause" : "Play"}</button>
      <button type="button" onClick=${() => step(1)} aria-label="A frame on">›</button>
      <output>${clock(frame, fps)} · frame ${frame} of ${frames}</output>
      ${parent && html`<div class="modes" role="group" aria-label="Compare with before">
        ${MODES.map(([name, label, key]) => html`<button type="button" aria-pressed=${mode === name} title=${`key ${key}`}
          onClick=${() => setMode(name)}>${label}</button>`)}</div>`}
      <button type="button" aria-expanded=${help} onClick=${() => setHelp(!help)}>Keys</button>
    </div>
    ${help && html`<dl class="keys">${KEYS.map(([key, what]) => html`<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`)}</dl>`}
    <${Timeline} clip=${clip} fps=${fps} frames=${frames} frame=${frame} window=${selected}
      used=${regen?.spans.map((span) => span.used) ?? []} touched=${regen?.video.touched ?? []} onSeek=${seek}
      onWindow=${setSelected} />
    <${Takes} takes=${takes} reports=${takeReports} currentId=${clip.id} onShow=${actions.show}
      onJudge=${actions.judge} onUndo=${actions.undo} />
    <${Regenerate} key=${clip.id} clip=${clip} window=${selected} providers=${providers}
      onSubmit=${(asked) => actions.regenerate(asked, selected)} />
    ${report && html`<section class="curves" aria-labelledby="measured"><h2 id="measured">Frame by frame</h2>
      <${Curve} title="Unsteadiness" frames=${frames} marks=${marks}
        explained="What motion does not explain: the mean difference to the frame before, moved along its motion, in levels of 255."
        values=${report.pairs.residual} before=${parentReport?.pairs.residual} />
      <${Curve} title="Colour step" frames=${frames} marks=${marks}
        explained="The mean difference of 12 by 12 averages to the frame before, in levels of 255."
        values=${report.pairs.colour} before=${parentReport?.pairs.colour} />
    </section>`}
    ${regen && html`<${Proof} regen=${regen} />`}
    <${Export} key=${`export ${clip.id}`} clip=${clip} jobs=${files.filter((job) => job.spec.clip === clip.id)}
      onSubmit=${(asked) => actions.export(clip.id, asked)} />
  </main>`;
}

function App() {
  const [at, go] = useAddress();
  const [fault, setFault] = useState(null);
  const [said, setSaid] = useState("");
  const [files, setFiles] = useState([]);
  const mine = useRef(null);
  const [older, setOlder] = useState({ clips: [], next: null });
  const failed = useCallback((error) => setFault(error), []);
  const [words] = useAnswer(api.listPresets, [], failed);
  const [health] = useAnswer(api.getHealth, [], failed);
  const [branches, branchesAgain] = useAnswer(api.listBranches, [], failed);
  const [providers] = useAnswer(api.listProviders, [], failed);
  const [page, listAgain] = useAnswer(() => api.listClips(), [], failed);
  const [clip, clipAgain] = useAnswer(() => (at.clip ? api.getClip(at.clip) : null), [at.clip], failed);
  const [report] = useAnswer(() => (at.clip ? api.getReport(at.clip) : null), [at.clip], failed);
  const parentId = clip?.id === at.clip ? clip?.parent : null;
  const [parent] = useAnswer(() => (parentId ? api.getClip(parentId) : null), [parentId], failed);
  const [parentReport] = useAnswer(() => (parentId ? api.getReport(parentId) : null), [parentId], failed);
  const siblings = parentId ? clip.takes.join(" ") : "";
  const ask = (one) => (siblings ? Promise.all(siblings.split(" ").map(one)) : null);
  const [takes, takesAgain] = useAnswer(() => ask(api.getClip), [siblings], failed);
  const [takeReports] = useAnswer(() => ask(api.getReport), [siblings], failed);

  const again = () => {
    listAgain();
    clipAgain();
    takesAgain();
    branchesAgain();
  };
  /** Do something, then look at everything again; an error is shown instead. */
  const attempt = async (work) => {
    setFault(null);
    setSaid("");
    try {
      await work();
      again();
    } catch (error) {
      setFault(error);
    }
  };
  const jobs = useJobs({
    done: (ended) => {
      if (ended.state === "succeeded" && ended.kind === "export") setFiles((known) => [ended, ...known]);
      again();
      // Only to what was asked for here, and last: another page may have asked for the other jobs.
      if (ended.id === mine.current && ended.clip_ids.length) go({ clip: ended.clip_ids[0] });
    },
    failed,
  });
  const begun = (made) => {
    mine.current = made.kind === "export" ? mine.current : made.id;
    jobs.add(made);
  };
  const start = (ask) => attempt(async () => begun(await ask()));
  const actions = {
    regenerate: (asked, [start_frame, stop_frame]) => start(() => api.createJob({
      ...asked, parent: clip.id, windows: [{ start_frame, stop_frame }], style_preset: clip.asked.style_preset,
      negative_prompt: clip.asked.negative_prompt,
    })),
    export: (id, asked) => start(() => api.exportClip(id, asked)),
    judge: (id, verdict) => attempt(() => api.judge(id, verdict)),
    undo: () => attempt(async () => {
      const { action, clip: of, branch } = await api.undo();
      setSaid(`Undone: ${action === "branch" ? `branch ${branch}` : `${action} of ${of}`}.`);
    }),
    branch: (name, id) => attempt(async () => {
      await api.setBranch(name, id);
      setSaid(`Branch ${name} points here.`);
    }),
    show: (take) => go({ clip: take.id }),
    cancel: (job) => attempt(async () => void (await api.cancelJob(job.id), jobs.refresh())),
    resume: (job) => start(() => api.resumeJob(job.id)),
  };
  const clips = [...(page?.clips ?? []), ...older.clips];
  const next = older.clips.length ? older.next : page?.next;
  const more = () => api.listClips(next).then((found) =>
    setOlder({ clips: [...older.clips, ...found.clips], next: found.next }), failed);
  const ready = clip?.id === at.clip && report && (!clip.parent || (parent?.id === clip.parent && parentReport && takes));
  // What was shown stays until the next clip is there whole: from take to take nothing flickers or forgets its place.
  const view = useRef(null);
  if (ready) {
    const reports = Object.fromEntries((takes ?? []).map((take, index) => [take.id, takeReports?.[index]]));
    view.current = { clip, report, parent: clip.parent ? parent : null, parentReport: clip.parent ? parentReport : null,
      takes: clip.parent ? takes : [], takeReports: reports };
  }
  const shown = at.clip ? view.current : null;
  return html`<header><a class="name" href="#">A1 Reactor</a><${Theme} /></header>
    ${fault && html`<div class="fault" role="alert"><p>${fault.message}${fault.remedy && html`<br />${fault.remedy}`}</p>
      ${fault.status === 0 && html`<button type="button" onClick=${() => location.reload()}>Try again</button>`}
      <button type="button" onClick=${() => setFault(null)}>Close</button></div>`}
    <p class="said" role="status">${said}</p>
    <div class=${`columns ${shown ? "" : "home"}`}>
      <aside aria-label="New">
        <${NewClip} presets=${words?.presets ?? {}} templates=${words?.templates ?? {}} providers=${providers ?? []}
          onSubmit=${(spec) => start(() => api.createJob(spec))} />
        <${Import} most=${health?.upload_bytes} onJob=${begun} onError=${failed} />
        ${shown && html`<${ClipList} clips=${clips} currentId=${at.clip} more=${next} onMore=${more} />`}
      </aside>
      ${shown
        ? html`<${Studio} ...${shown} providers=${providers ?? []} branches=${branches ?? {}} jobs=${jobs} files=${files}
            actions=${actions} />`
        : html`<main id="studio" tabindex="-1">
            <h1>${at.clip ? "Loading…" : clips.length ? "Choose a clip, or make one" : "Make a first clip"}</h1>
            <${Jobs} jobs=${jobs} actions=${actions} />
            ${!at.clip && page && html`<${Gallery} clips=${clips} branches=${branches ?? {}} more=${next} onMore=${more} />`}
          </main>`}
    </div>`;
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
