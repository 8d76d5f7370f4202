"use strict";
// Asks four times a second: quicker than a hand lets go of a basket, and next to nothing for the station.
const PERIOD_MS = 250;
const put = (id, text) => {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
};
let shown = "";

function show(screen) {
  const now = JSON.stringify(screen);
  if (now === shown) return;
  shown = now;
  document.body.dataset.view = screen.view;
  put("headline", screen.headline);
  put("text", screen.text);
  put("station", screen.pairing_code ? `${screen.station} · ${screen.pairing_code}` : screen.station);
  document.getElementById("look-at").replaceChildren(
    ...screen.look_at.map((name) => Object.assign(document.createElement("li"), { textContent: name })),
  );
}

async function ask() {
  try {
    const answer = await fetch("/v1/display", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json());
  } catch {
    show({ view: "wait", headline: "One moment, please", text: "This station is starting.", look_at: [], station: "" });
  }
  setTimeout(ask, PERIOD_MS);
}
ask();
