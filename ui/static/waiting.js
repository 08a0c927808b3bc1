// Questions that wait until the answer before them is written, see gr.HTML's js_on_load. This tab keeps them, also over a
// reload, each for the conversation in which it was asked.
const KEY = "waiting", LOOK_MS = 200;
const field = () => document.querySelector("#question textarea");
const isShown = (id) => Boolean(document.getElementById(id)?.offsetParent);
const conversation = () => new URL(window.location).searchParams.get("conversation");
let waiting = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
let asking = null; // the question that the application has been told, until it says so
let drawn = null, isLooking = false, calm = 0;
const own = () => waiting.filter((one) => one.conversation === conversation());
const write = (text) => {
  field().value = text;
  field().dispatchEvent(new Event("input", { bubbles: true }));
};
const keep = (questions) => {
  waiting = questions;
  sessionStorage.setItem(KEY, JSON.stringify(waiting));
};
const forget = (gone) => keep(waiting.filter((one) => one !== gone));
const item = (one, place) => {
  const line = document.createElement("li"), text = document.createElement("bdi"), remove = document.createElement("button");
  text.textContent = one.text;
  remove.type = "button";
  remove.textContent = "×";
  remove.setAttribute("aria-label", `Do not ask: ${one.text}`);
  remove.addEventListener("click", () => {
    forget(one);
    draw();
    field()?.focus();
  });
  line.append(place ? "Then: " : "Next: ", text, remove);
  return line;
};
const draw = () => {
  const seen = own().filter((one) => one !== asking), now = JSON.stringify(seen);
  if (now === drawn) return;
  drawn = now;
  const list = document.createElement("ul");
  list.append(...seen.map(item));
  element.replaceChildren(...(seen.length ? [list] : []));
};
const look = () => {
  const next = own()[0];
  // Twice in a row: while a page is being loaded, or an answer begins, it may look so for a moment.
  calm = isShown("send") && document.querySelector("#conversation .question") ? calm + 1 : 0;
  if (next && !asking && calm > 1) {
    calm = 0;
    asking = next;
    trigger("submit", { question: next.text });
  }
  draw(); // another conversation may be open by now
  isLooking = waiting.length > 0;
  if (isLooking) setTimeout(look, LOOK_MS);
};
const begin = () => {
  if (!isLooking) look();
};
// The application has begun it, or said why it cannot: then it is in the field again.
document.addEventListener("waiting-asked", () => {
  if (!asking) return;
  const { text } = asking;
  forget(asking);
  asking = null;
  if (document.querySelector("#notice .failed")) write([text, field().value].filter(Boolean).join("\n"));
  draw();
});
document.addEventListener("keydown", (event) => {
  if (event.target !== field() || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (!isShown("stop")) return;
  event.preventDefault();
  event.stopPropagation(); // Gradio would ask it now
  const text = field().value.trim();
  if (!text) return;
  keep([...waiting, { conversation: conversation(), text }]);
  write("");
  draw();
  begin();
}, true);
element.setAttribute("aria-live", "polite");
begin();
