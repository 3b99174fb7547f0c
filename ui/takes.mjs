// The takes of a window beside each other, and what became of them.
import { frameUrl } from "./api.mjs";
import { html } from "./html.mjs";

const rounded = (value) => (typeof value === "number" ? value.toFixed(2) : "none");

/** The worst join of a take: its windows' sides, after blending. */
export function worst(report, names) {
  const found = (report?.regen?.seams ?? []).flatMap((seam) => names.map((name) => seam.after_blending[name]));
  const known = found.filter((value) => typeof value === "number");
  return known.length ? Math.max(...known) : null;
}

function Take({ take, report, current, onShow, onJudge }) {
  const [first, behind] = take.windows[0];
  const judged = (verdict, label) => html`<button type="button" class=${verdict} aria-pressed=${take.verdict === verdict}
    onClick=${() => onJudge(take.id, verdict)}>${label}</button>`;
  return html`<li class=${`take ${take.verdict ?? ""}`} aria-current=${current ? "true" : undefined}>
    <button type="button" class="show" onClick=${() => onShow(take)}>
      <img loading="lazy" src=${frameUrl(take.id, Math.floor((first + behind) / 2))} alt="" />
      <span>Seed ${take.seed}</span>
      <small>seam ${rounded(worst(report, ["left", "right"]))},
        colour ${rounded(worst(report, ["colour_left", "colour_right"]))}</small>
    </button>
    <span class="verdict">${judged("keep", "Keep")}${judged("reject", "Reject")}</span>
  </li>`;
}

export function Takes({ takes, reports, currentId, onShow, onJudge, onUndo }) {
  if (!takes.length) return null;
  return html`<section class="takes" aria-labelledby="takes">
    <h2 id="takes">Takes of this window</h2>
    <ul>${takes.map((take) => html`<${Take} key=${take.id} take=${take} report=${reports[take.id]}
      current=${take.id === currentId} onShow=${onShow} onJudge=${onJudge} />`)}</ul>
    <p><small>1 is no seam at all. </small><button type="button" onClick=${onUndo}>Undo the last choice</button></p>
  </section>`;
}
