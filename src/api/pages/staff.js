"use strict";
const $ = (id) => document.getElementById(id);
const NEEDS = {
  second_person: "Second person needed", called: "Shopper asks for help", exhausted: "Tried in vain", age_check: "Check the age", assist: "Please have a look",
  unavailable: "Station cannot judge", control_sample: "Random check",
};
const KINDS = {
  unscanned: "Maybe not scanned", absent: "Scanned, maybe not there", quantity: "Number may differ", swapped: "Maybe another article",
  bag: "Maybe a bag", foreign: "Something unknown", stale_weight: "Catalogue weight may be wrong", sensor: "Station fault",
};
const OUTCOMES = { pass: "passed", correct: "to put right", assist: "for staff", unavailable: "could not judge" };
const REASONS = {
  approve: { catalogue_weight: "The catalogue’s weight is wrong", bag: "It was a bag", personal_item: "It was the shopper’s own",
    hand_on_scale: "Hand or child on the scale", sensor_fault: "The station was at fault", vision_error: "The camera was wrong",
    control_sample: "Random check, all right", age_ok: "The age is fine", supervisor_override: "Supervisor’s decision" },
  correct: { item_added: "Article added", item_removed: "Article taken off", quantity_fixed: "Number put right", swap_fixed: "Other article",
    duplicate_scan: "Scanned twice", multipack: "Multipack", produce_plu: "Fruit or vegetable number", coupon_removed: "Coupon taken off" },
  refuse: { basket_refused: "Not cleared up", customer_left: "Shopper has left", age_refused: "Too young" },
};
const WHY = { approve: "Why may it go?", correct: "What was wrong?", refuse: "Why may it not go?" };
const HINTS = {
  show_it: "Put one on the empty plate, or hold it under the camera.", one_alone: "Take away all but one.", centre: "Move it to the middle.",
  hold_still: "Hold it still.", turn_it: "Show another side.", enough: "That is enough.",
};
const DONE = { approve: "approved", correct: "corrected", refuse: "refused" };
// What people read when something is not done; the server's own words otherwise.
const WORDS = {
  bad_login: "That was not right. Please try again.", bad_pairing_code: "This is not the code on the display.",
  news_since: "There is news of this basket. Please look again.", older_revision: "The list has changed. Please look again.",
  deciding: "It is being judged just now. Please look again.", second_person: "A second person, a supervisor, has to confirm this.",
  unknown_product: "The catalogue does not know this code.", plate_busy: "A basket is being checked. Please wait until it has left.",
  enrolling: "Another article is being taught just now.", not_enrolling: "It was given up. Please begin again.", too_few_views: "Please show more of its sides first.",
  not_queued: "This basket does not need anybody any more.", no_answer: "The station does not answer. Please try again.",
};

let csrf = null, me = null, fourEyes = null, stream = null;
let state = { queue: [], done: [], station: {} };
// undefined: not here, or not by this person; null: no article is being taught.
let taught;
let open = null, shown = null, panel = null, looked = null, ahead = 0;

function el(tag, props, ...children) {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}
const grams = (g) => (g === null || g === undefined ? "–" : Math.abs(g) >= 1000 ? `${(g / 1000).toFixed(3)} kg` : `${g.toFixed(0)} g`);
const signed = (g) => (g === null || g === undefined ? "–" : `${g >= 0 ? "+" : "−"}${grams(Math.abs(g))}`);
const money = (minor) => (minor === null || minor === undefined ? "–" : (minor / 100).toFixed(2));
const now = () => Date.now() + ahead;
function minutes(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
function say(text, good = false) {
  $("notice").textContent = text;
  $("notice").classList.toggle("good", good);
}

async function ask(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (csrf && method !== "GET") headers["x-csrf-token"] = csrf;
  let answer;
  try {
    answer = await fetch(path, { method, headers, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw Object.assign(new Error(WORDS.no_answer), { code: "no_answer" });
  }
  const told = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return { status: answer.status, told };
  const code = told?.code ?? "no_answer";
  if (code === "unknown_tablet" || code === "logged_out") leave(code);
  throw Object.assign(new Error(WORDS[code] ?? told?.detail ?? WORDS.no_answer), { code });
}
/// Does something that a person has asked for, and says why not.
async function doing(work) {
  say("");
  try {
    return await work();
  } catch (error) {
    say(error.message);
    return null;
  }
}

function view(name) {
  document.body.dataset.view = name;
  for (const id of ["pair", "login", "service-form", "enrol", "desk"]) $(id).hidden = id !== name;
  $("me").hidden = me === null;
  document.querySelector(`#${name} input`)?.focus();
}
function leave(code) {
  stream?.close();
  stream = me = csrf = open = shown = panel = null;
  taught = undefined;
  state = { queue: [], done: [], station: {} };
  document.body.dataset.open = "false";
  $("line").textContent = "";
  $("basket").hidden = true;
  $("pick").hidden = false;
  // Whoever comes next sees nothing of what the one before had open.
  for (const id of ["facts", "act", "queue", "done", "enrol-views"]) $(id).replaceChildren();
  $("closed").hidden = true;
  for (const input of document.querySelectorAll("#login input")) input.value = "";
  view(code === "unknown_tablet" ? "pair" : "login");
}
async function start() {
  try {
    const { told } = await ask("GET", "/v1/staff/session");
    $("station").textContent = told.station;
    if (told.staff === null) return leave("logged_out");
    enter(told);
  } catch (error) {
    if (error.code === "no_answer") {
      say(error.message);
      setTimeout(start, 3000);
    }
  }
}
async function enter(told) {
  me = told.staff;
  $("teach").hidden = true;
  csrf = told.csrf_token;
  $("who").textContent = `${me.name}, ${me.role}`;
  view("desk");
  $("queue-title").focus();
  listen();
}
function listen() {
  stream?.close();
  stream = new EventSource("/v1/staff/events");
  stream.addEventListener("open", () => { $("line").textContent = "live"; });
  stream.addEventListener("queue", (event) => {
    const told = JSON.parse(event.data);
    ahead = told.now_ms - Date.now();
    state = told;
    draw();
  });
  stream.addEventListener("enrolment", (event) => {
    taughtIs(JSON.parse(event.data));
  });
  stream.addEventListener("logged_out", () => leave("logged_out"));
  stream.addEventListener("error", () => {
    $("line").textContent = "no line to the station";
    // The browser tries again by itself unless the station has said no.
    if (stream?.readyState === EventSource.CLOSED) setTimeout(start, 2000);
  });
}

function draw() {
  const closed = state.station.out_of_service;
  $("closed").hidden = closed === null || closed === undefined;
  $("closed").textContent = closed ? `Out of service: ${closed}` : "Out of service";
  $("service").textContent = $("closed").hidden ? "Out of service" : "Back into service";
  $("nobody").hidden = state.queue.length > 0;
  drawQueue();
  drawDone();
  document.title = state.queue.length ? `(${state.queue.length}) Staff desk` : "Staff desk · Augenmass";
  if (open === null) return;
  const entry = state.queue.find((entry) => entry.validation_id === open);
  const mark = JSON.stringify(entry);
  if (!entry) return gone();
  if (mark !== shown) load();
}
/// Cards are kept and moved, so that whoever is about to press one presses the right one.
function drawQueue() {
  const list = $("queue");
  const known = new Map([...list.children].map((item) => [item.dataset.validation, item]));
  state.queue.forEach((entry, place) => {
    const item = known.get(entry.validation_id) ?? makeCard(entry.validation_id);
    known.delete(entry.validation_id);
    const card = item.firstChild;
    card.dataset.need = entry.need;
    card.ariaCurrent = String(entry.validation_id === open);
    const [need, wait, more, held] = card.children;
    need.textContent = NEEDS[entry.need];
    wait.dataset.since = entry.since_ms;
    wait.textContent = minutes(now() - entry.since_ms);
    const off = entry.off_g === null ? null : Math.abs(entry.off_g) < 1 ? "weight fits" : `${signed(entry.off_g)} against the list`;
    more.textContent = [`Basket ${entry.basket_id}`, KINDS[entry.finding], off].filter(Boolean).join(" · ");
    held.textContent = entry.claimed_by === null ? "" : entry.claimed_by === me?.name ? "You look after it" : `${entry.claimed_by} looks after it`;
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  for (const item of known.values()) item.remove();
}
function makeCard(id) {
  const card = el("button", { type: "button", className: "card" },
    el("strong"), el("span", { className: "wait" }), el("span", { className: "more" }), el("span", { className: "held" }));
  card.addEventListener("click", () => choose(id));
  const item = el("li", {}, card);
  item.dataset.validation = id;
  return item;
}
function drawDone() {
  $("done-pane").hidden = state.done.length === 0;
  $("done").replaceChildren(...state.done.map((done) => {
    const undo = el("button", { type: "button", className: "small", textContent: "Undo" });
    undo.addEventListener("click", () => doing(async () => {
      await ask("POST", `/v1/staff/validations/${done.validation_id}/undo`, { number: done.number });
      say(`Taken back: basket ${done.basket_id} is in the queue again.`, true);
    }));
    const what = el("span", {}, `Basket ${done.basket_id} ${DONE[done.action]}`, el("span", { className: "when", textContent: `by ${done.by}` }));
    return el("li", {}, what, done.may_undo && undo);
  }));
}
setInterval(() => {
  for (const wait of document.querySelectorAll("[data-since]")) wait.textContent = minutes(now() - Number(wait.dataset.since));
}, 1000);

function choose(id) {
  open = id;
  shown = panel = looked = null;
  document.body.dataset.open = "true";
  draw();
}
function close() {
  open = shown = panel = null;
  document.body.dataset.open = "false";
  $("basket").hidden = true;
  $("pick").hidden = false;
  draw();
  $("queue-title").focus();
}
function gone() {
  const done = state.done.find((done) => done.validation_id === open);
  say(done ? `Basket ${done.basket_id} ${DONE[done.action]} by ${done.by}.` : "The basket does not need anybody any more.", true);
  close();
}
async function load() {
  const id = open;
  const entry = state.queue.find((entry) => entry.validation_id === id);
  const first = shown === null;
  if (first || JSON.parse(shown)?.attempt !== entry.attempt) looked = null;
  shown = JSON.stringify(entry);
  const answer = await ask("GET", `/v1/staff/validations/${id}`).catch((error) => { say(error.message); return null; });
  if (answer === null || id !== open) return;
  $("basket").hidden = false;
  $("pick").hidden = true;
  drawFacts(entry, answer.told);
  // Whoever is choosing a reason goes on choosing: the station refuses what would be about something else.
  const mine = answer.told.claim?.mine === true;
  if (first || panel === null || !mine) drawAct(answer.told);
  if (first) $("basket-title").focus();
}

function drawFacts(entry, told) {
  const { dossier } = told;
  const verdict = told.attempts.find((attempt) => attempt.attempt === looked) ?? told.attempts.at(-1) ?? null;
  const weight = verdict?.weight ?? null;
  const off = weight && weight.measured_g - weight.expected_g;
  const title = el("div", { className: "title" },
    el("h2", { id: "basket-title", tabIndex: -1, textContent: `Basket ${dossier.basket_id}` }),
    el("span", { textContent: `${NEEDS[entry.need]} · ${dossier.lines.length === 1 ? "1 line" : `${dossier.lines.length} lines`}` }));
  const figure = (name, value, small) => el("div", {}, el("dt", { textContent: name }), el("dd", {}, value, small && el("small", { textContent: ` ${small}` })));
  const figures = el("dl", { className: "figures" },
    figure("On the plate", grams(weight?.measured_g)), figure("The list makes", grams(weight?.expected_g)),
    figure("Difference", signed(off), weight && `± ${grams(weight.sigma_g)}`));
  const findings = (verdict?.findings ?? []).map(finding);
  const attempts = told.attempts.length > 1 && el("div", { className: "attempts", role: "group", ariaLabel: "Attempts" },
    ...told.attempts.map((attempt) => {
      const chip = el("button", { type: "button", className: "small", textContent: `${attempt.attempt}. ${OUTCOMES[attempt.outcome]}` });
      chip.ariaPressed = String(attempt === verdict);
      chip.dataset.attempt = attempt.attempt;
      chip.addEventListener("click", () => { looked = attempt.attempt; drawFacts(entry, told); });
      return chip;
    }));
  const parts = [title, attempts, figures,
    el("h3", { textContent: "What the station found" }),
    ...(findings.length ? findings : [el("p", { textContent: verdict ? "Nothing in particular." : "It has not been judged yet." })]),
    el("h3", { textContent: "The list" }), list(dossier)];
  $("facts").replaceChildren(...parts.filter(Boolean));
}
function finding(found) {
  const name = found.product?.name ?? null;
  const text = {
    unscanned: name ?? `About ${grams(Math.abs(found.grams))} more than the list`, absent: name ?? `About ${grams(Math.abs(found.grams))} less than the list`,
    quantity: `${name ?? "A line"}: ${found.scanned ?? "?"} scanned, ${found.found ?? "?"} there`, swapped: `${name ?? "An article"} – looks like ${found.instead?.name ?? "something else"}`,
    bag: `About ${grams(Math.abs(found.grams))}`,
  }[found.kind] ?? name ?? found.detail ?? "";
  const picture = found.image
    ? el("img", { src: found.image, alt: `What lies there: ${text}` })
    : el("span", { textContent: "No picture kept" });
  const percent = Math.round(found.probability * 100);
  return el("div", { className: found.kind === "sensor" ? "finding plain" : "finding" }, found.kind !== "sensor" && el("figure", {}, picture),
    el("div", {}, el("strong", { textContent: KINDS[found.kind] }), el("p", { textContent: text }),
      found.kind !== "sensor" && el("div", { className: "p" }, el("meter", { min: 0, max: 1, value: found.probability, title: "probability" }), `${percent} %`,
        el("span", { textContent: signed(found.grams) }))));
}
const called = (line) => line.name ?? (line.has_mass === false ? "Deposit, coupon or press" : "Unknown article");
function list(dossier) {
  const rows = dossier.lines.map((line) => {
    const wrong = line.product_id && el("button", { type: "button", className: "small", textContent: "Weight is wrong" });
    if (wrong) wrong.addEventListener("click", () => doing(async () => {
      await ask("POST", `/v1/staff/products/${line.product_id}/weight-wrong`, { note: "" });
      wrong.disabled = true;
      wrong.textContent = "Noted";
    }));
    const age = line.age_limit && el("span", { className: "age", textContent: `${line.age_limit}+` });
    return el("tr", {}, el("td", {}, called(line), " ", age, el("small", { textContent: line.code })),
      el("td", { className: "n", textContent: `${line.quantity} ×` }), el("td", { className: "n", textContent: line.has_mass ? grams(line.expected_g) : "–" }),
      el("td", { className: "n", textContent: money(line.price_minor) }), el("td", { className: "n" }, wrong));
  });
  const head = ["Article", "Number", "Weight", "Price", ""].map((name, place) => el("th", { scope: "col", className: place ? "n" : "", textContent: name }));
  const foot = el("tr", {}, el("td", { textContent: "Together" }), el("td"), el("td"), el("td", { className: "n", textContent: money(dossier.value_minor) }), el("td"));
  return el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows), el("tfoot", {}, foot));
}

function button(id, text, kind, work) {
  const made = el("button", { type: "button", id, className: kind, textContent: text });
  made.addEventListener("click", work);
  return made;
}
function drawAct(told) {
  panel = null;
  $("act").classList.remove("tall");
  const id = told.dossier.validation_id;
  const path = (what) => `/v1/staff/validations/${id}/${what}`;
  const post = (what, body = {}) => doing(async () => {
    const { status } = await ask("POST", path(what), body);
    if (status === 202) say("A supervisor has to confirm this now.", true);
    panel = null;
    shown = null;
    draw();
  });
  if (me.role === "technician") return $("act").replaceChildren(el("p", { textContent: "Technicians look, attendants and supervisors decide." }));
  const proposal = told.proposal && el("p", {},
    `${told.proposal.by} has decided: ${DONE[told.proposal.action]} (${REASONS[told.proposal.action][told.proposal.reason]}). ` +
    `Worth ${money(told.proposal.value_minor)}: a second person, a supervisor, has to confirm.`);
  const confirm = told.proposal?.may_confirm && button("confirm", "Confirm", "go", () => post("confirm"));
  if (told.claim?.mine !== true) {
    const held = told.claim && el("p", { textContent: `${told.claim.by} looks after this basket.` });
    const take = button("claim", told.claim ? "Take it over" : "I look after it", "primary", () => post("claim"));
    const may = told.claim === null || me.role === "supervisor";
    return $("act").replaceChildren(...[proposal, held, el("div", { className: "row" }, confirm, may && take)].filter(Boolean));
  }
  const row = el("div", { className: "row" }, confirm,
    !told.proposal && button("approve", "Approve", "go", () => choosing("approve", told, post)),
    button("correct", "Correct the list", "primary", () => choosing("correct", told, post)),
    button("refuse", "Refuse", "stop", () => choosing("refuse", told, post)),
    button("release", "Let go", "quiet", () => doing(async () => { await ask("DELETE", path("claim")); })));
  $("act").replaceChildren(...[proposal, row].filter(Boolean));
}
function choosing(action, told, post) {
  panel = action;
  const form = el("form", { id: "choose" });
  const reasons = Object.entries(REASONS[action]).filter(([reason]) => reason !== "supervisor_override" || me.role === "supervisor");
  const choices = reasons.map(([reason, text]) => {
    const radio = el("input", { type: "radio", name: "reason", value: reason, required: true });
    return el("label", { className: "choice" }, radio, text);
  });
  const years = told.dossier.age_limit;
  const age = action === "approve" && years && el("input", { type: "checkbox", id: "age", required: true });
  const editor = action === "correct" ? edit(told.dossier) : null;
  const twice = action === "approve" && told.four_eyes_above_minor !== null && told.dossier.value_minor > told.four_eyes_above_minor;
  const kind = { approve: "go", correct: "primary", refuse: "stop" }[action];
  const text = { approve: "Approve", correct: "Save and judge again", refuse: "Refuse" }[action];
  form.append(...[editor?.table, el("fieldset", {}, el("legend", { textContent: WHY[action] }), ...choices),
    age && el("label", { className: "choice age-check" }, age, `I have checked that the shopper is ${years} or older`),
    twice && el("p", { textContent: `Worth more than ${money(told.four_eyes_above_minor)}: a supervisor has to confirm it, too.` }),
    el("div", { className: "row" }, el("button", { className: kind, id: "do", textContent: text }),
      button("not", "Back", "quiet", () => { drawAct(told); $(action).focus(); }))].filter(Boolean));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const reason = form.querySelector("input[name=reason]:checked").value;
    const body = { action, reason, attempt: told.verdict?.attempt ?? 0, age_checked: Boolean(age) && age.checked };
    if (editor) body.lines = editor.lines();
    post("resolution", body);
  });
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") $("not").click(); });
  $("act").replaceChildren(form);
  $("act").classList.toggle("tall", editor !== null);
  form.querySelector("input").focus();
  if (editor) form.scrollIntoView();
}
function edit(dossier) {
  const body = el("tbody");
  const add = (line) => {
    const code = line.code === "" ? el("input", { className: "code", placeholder: "Scan or type the code", ariaLabel: "Code" }) : null;
    const number = el("input", { type: "number", min: 0, max: 999, value: line.quantity, ariaLabel: `Number of ${line.name ?? "the new article"}` });
    const row = el("tr", {}, el("td", {}, code ?? called(line), !code && el("small", { textContent: line.code })), el("td", { className: "n" }, number));
    row.read = () => ({ ...(line.scanned_at ? { scanned_at: line.scanned_at } : {}), code: code ? code.value.trim() : line.code, quantity: Number(number.value) });
    body.append(row);
    return code;
  };
  dossier.lines.forEach((line) => add(line));
  const more = button("add-line", "Add an article", "small", () => add({ code: "", quantity: 1 }).focus());
  const foot = el("tfoot", {}, el("tr", {}, el("td", {}, more), el("td")));
  const lines = () => [...body.rows].map((row) => row.read()).filter((line) => line.quantity > 0 && line.code !== "");
  return { table: el("table", {}, body, foot), lines };
}

$("pair").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(async () => {
    await ask("POST", "/v1/staff/tablet", { code: $("pair-code").value.trim(), name: $("pair-name").value.trim() });
    await start();
  });
});
function logIn(body) {
  return doing(async () => {
    try {
      const { told } = await ask("POST", "/v1/staff/session", body);
      await enter(told);
    } finally {
      $("pin").value = $("badge").value = "";
    }
  });
}
$("login-pin").addEventListener("submit", (event) => {
  event.preventDefault();
  logIn({ name: $("name").value.trim(), pin: $("pin").value });
});
$("login-badge").addEventListener("submit", (event) => {
  event.preventDefault();
  if ($("badge").value.trim()) logIn({ badge: $("badge").value.trim() });
});
$("log-out").addEventListener("click", () => doing(async () => {
  await ask("DELETE", "/v1/staff/session");
  leave("logged_out");
}));
$("back").addEventListener("click", close);
$("service").addEventListener("click", () => {
  const serves = $("closed").hidden;
  $("service-title").textContent = serves ? "Take the station out of service?" : "Put the station back into service?";
  $("service-yes").textContent = serves ? "Out of service" : "Back into service";
  $("service-why").hidden = !serves;
  $("why").value = "";
  view("service-form");
  if (!serves) $("service-yes").focus();
});

function taughtIs(told) {
  const before = taught;
  taught = told;
  drawTeaching(before);
}
function drawTeaching(before) {
  $("teach").hidden = taught === undefined;
  const live = taught !== null && taught !== undefined;
  // Whoever was teaching is told why there is nothing to keep any more; who has kept it knows.
  if (before && !live && document.body.dataset.view === "enrol") {
    say(WORDS.not_enrolling);
    $("enrol-code").focus();
  }
  $("enrol-form").hidden = live;
  $("enrol-live").hidden = !live;
  if (!live) return $("enrol-views").replaceChildren();
  $("enrol-name").textContent = taught.name;
  $("enrol-hint").textContent = HINTS[taught.hint];
  const views = $("enrol-views");
  if (before?.until_ms === undefined || before.views > taught.views) views.replaceChildren();
  for (let n = views.children.length + 1; n <= taught.views; n++) {
    const path = `/v1/staff/enrolment/views/${n}`;
    const out = el("button", { type: "button", title: "Take it out", ariaLabel: `Take view ${n} out` },
      el("img", { src: `${path}?${Date.now()}`, alt: `View ${n}` }), el("span", { textContent: "×", ariaHidden: "true" }));
    out.addEventListener("click", () => doing(async () => taughtIs((await ask("DELETE", path)).told)));
    views.append(el("li", {}, out));
  }
  const more = Math.max(0, taught.needed - taught.views);
  const weight = taught.weight_g === null ? "" : ` · ${grams(taught.weight_g)} on the plate`;
  const by = taught.by === me?.name ? "" : ` · begun by ${taught.by}`;
  $("enrol-count").textContent = `${taught.views} ${taught.views === 1 ? "view" : "views"}${more ? `, ${more} more needed` : ": keep them, or show more"}${weight}${by}`;
  $("enrol-keep").disabled = more > 0;
}
$("teach").addEventListener("click", () => {
  say("");
  $("enrol-code").value = "";
  view("enrol");
});
// A basket that needs somebody comes first; what is being taught waits.
for (const id of ["enrol-back", "enrol-queue"]) $(id).addEventListener("click", () => view("desk"));
$("enrol-form").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(async () => {
    const { told } = await ask("POST", "/v1/staff/enrolment", { code: $("enrol-code").value.trim() });
    taughtIs(told);
  });
});
function taughtEnds(work) {
  return doing(async () => {
    const name = taught?.name;
    // Back at the desk before the station tells that it is over: it is no surprise.
    view("desk");
    try {
      say(await work(name), true);
    } catch (error) {
      view("enrol");
      throw error;
    }
  });
}
$("enrol-keep").addEventListener("click", () => taughtEnds(async (name) => {
  const { told } = await ask("POST", "/v1/staff/enrolment/finish");
  return `${name}: ${told.views} views kept.`;
}));
$("enrol-cancel").addEventListener("click", () => taughtEnds(async (name) => {
  await ask("DELETE", "/v1/staff/enrolment");
  return `${name}: nothing was kept.`;
}));
$("service-no").addEventListener("click", () => view("desk"));
$("service-form").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(async () => {
    await ask("POST", "/v1/staff/service", { serves: !$("closed").hidden, why: $("why").value.trim() });
    view("desk");
    $("service").focus();
  });
});
start();
