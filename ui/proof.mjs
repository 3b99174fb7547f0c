// What was proved about a regeneration: which frames are the parent's own, and what was encoded again.
import { html } from "./html.mjs";

const SHOWN = { "same inode": "being the very same file", "same hash": "an equal hash" };
const pair = (value) => (typeof value === "number" ? value.toFixed(2) : "none");

export function Proof({ regen }) {
  const { untouched, changed } = regen.frames;
  const same = untouched.sha256_of_hashes === untouched.sha256_of_parent_hashes;
  const { segments, frames_encoded: encoded } = regen.video;
  return html`<section class="proof" aria-labelledby="proof">
    <h2 id="proof">What changed</h2>
    <dl>
      <dt>Frames</dt><dd>${changed.count} changed; ${untouched.count} are the parent's own${same ? "" : " (NOT EQUAL)"}, shown by${" "}
        ${Object.keys(untouched.shown_by).map((how) => SHOWN[how] ?? how).join(" and ")}</dd>
      <dt>Video</dt><dd>${encoded} frames encoded again, ${segments.total - segments.encoded} of ${segments.total}${" "}
        segments copied</dd>
      ${regen.seams.map((seam) => html`<dt>Frames ${seam.window[0]} to ${seam.window[1] - 1}</dt>
        <dd>seam ${pair(seam.before_blending.left)} and ${pair(seam.before_blending.right)}, after blending
          ${" "}${pair(seam.after_blending.left)} and ${pair(seam.after_blending.right)}; by ${seam.blend.method}:
          ${" "}${seam.blend.reason}</dd>`)}
    </dl>
  </section>`;
}
