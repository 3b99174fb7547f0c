"use strict";

const LOOK_MS = 2000;
const shown = new Map(); // id -> article

// Control and direction characters are spelled out, so that what is read is what would run.
const visible = (text) =>
  String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (c) =>
    c === "\n" ? c : `\\u{${c.codePointAt(0).toString(16)}}`);

const told = (effect) =>
  [
    effect.reversible ? "" : "cannot be undone",
    effect.outward ? "leaves this machine" : "",
    effect.secret ? "has to do with a secret" : "",
    effect.privilege ? "uses or changes rights" : "",
  ].filter(Boolean).join(", ");

function left(until) {
  const seconds = Math.max(0, Math.round((Date.parse(until) - Date.now()) / 1000));
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`;
}

function facts(question) {
  const { asked } = question;
  return [
    ["Risk", asked.risk_level.toLowerCase()],
    ["Rules", asked.rules.join(", ")],
    ["Touches", asked.effect.target],
    ["Effect", told(asked.effect)],
    ["Folder", asked.context.cwd],
    ["Asked by", question.asker],
    ["Agreed", question.answers.filter((a) => a.confirmed).map((a) => `${a.person} (${a.method})`).join(", ")],
    ["Missing", question.people > 1 ? `${question.missing} of ${question.people} people` : ""],
    ["Time left", left(question.expires_at)],
  ].filter(([, value]) => value);
}

function fill(article, question) {
  const list = article.querySelector("dl");
  list.replaceChildren(...facts(question).flatMap(([name, value]) => {
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    text.textContent = visible(value);
    return [term, text];
  }));
}

function make(question) {
  const { asked } = question;
  const article = document.getElementById("question").content.cloneNode(true).firstElementChild;
  article.dataset.id = question.id;
  article.classList.add(asked.risk_level.toLowerCase());
  const blocked = asked.verdict === "block" ? " that the rules block" : "";
  article.querySelector("h2").textContent = `May this ${asked.kind} action${blocked} run?`;
  article.querySelector(".action").textContent = visible(asked.action);
  article.querySelector(".why").textContent = `You are asked because ${visible(asked.sentence)}.`;
  const resolved = article.querySelector(".resolved");
  if (asked.resolved.every((line) => line.trim() === asked.action.trim())) resolved.remove();
  else resolved.querySelector("pre").textContent = visible(asked.resolved.join("\n"));
  const form = article.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const code = form.elements.code.value.replace(/\s/g, "");
    if (!code) {
      form.querySelector(".said").textContent = "To let it run, type the code that your authenticator shows.";
      form.elements.code.focus();
      return;
    }
    answer(article, "confirm", { code });
  });
  article.querySelector(".deny").addEventListener("click", () => answer(article, "deny", {}));
  fill(article, question);
  return article;
}

async function answer(article, what, body) {
  const said = article.querySelector(".said");
  const buttons = article.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  said.textContent = "";
  try {
    const reply = await fetch(`/v1/confirmations/${encodeURIComponent(article.dataset.id)}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const found = await reply.json();
    if (!reply.ok) said.textContent = visible(found.detail);
    else if (found.state === "open") said.textContent = `Noted; ${found.missing} more to agree.`;
  } catch {
    said.textContent = "The server does not answer; nothing was changed.";
  }
  article.querySelector("input").value = "";
  buttons.forEach((button) => { button.disabled = false; });
  await look();
}

async function look() {
  const state = document.getElementById("state");
  let found;
  try {
    const reply = await fetch("/v1/confirmations");
    if (!reply.ok) throw new Error();
    found = (await reply.json()).confirmations.filter((question) => question.asked);
  } catch {
    state.textContent = "The server does not answer.";
    return;
  }
  const ids = new Set(found.map((question) => question.id));
  for (const [id, article] of shown) {
    if (!ids.has(id)) {
      article.remove();
      shown.delete(id);
    }
  }
  for (const question of found) {
    if (shown.has(question.id)) fill(shown.get(question.id), question);
    else {
      shown.set(question.id, make(question));
      document.getElementById("questions").append(shown.get(question.id));
    }
  }
  const count = found.length;
  state.textContent = count ? `${count} open ${count === 1 ? "question" : "questions"}` : "No open question.";
}

look();
setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
