// Of the chips in the composer, see gr.HTML's js_on_load: each opens its panel, which lies over the conversation.
const composer = element.closest("#composer");
const chips = () => [...element.querySelectorAll("[data-choose]")];
const mark = () => {
  for (const chip of chips()) chip.setAttribute("aria-expanded", String(chip.dataset.choose === composer.dataset.open));
};
const open = (name) => {
  composer.dataset.open = name;
  mark();
  const panel = document.getElementById(`choose-${name}`);
  panel?.setAttribute("tabindex", "-1");
  (panel?.querySelector("input[type=radio]:checked") ?? panel)?.focus(); // a list would open over its own panel
};
// The panel of "Retry with" is opened by a link in the conversation, which may have been drawn anew since.
let opener = null;
const openedBy = () => opener && document.querySelector(`#conversation a[href="${opener}"]`);
const close = (back) => {
  const name = composer.dataset.open;
  if (!name) return;
  composer.dataset.open = "";
  mark();
  if (back) (chips().find((chip) => chip.dataset.choose === name) ?? openedBy())?.focus();
};
document.addEventListener("open-panel", (event) => {
  opener = event.detail.link.getAttribute("href");
  open(event.detail.name);
});
composer.addEventListener("click", (event) => {
  if (event.target.closest("#retry-send")) close(true);
});
element.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-choose]");
  if (!chip) return;
  chip.dataset.choose === composer.dataset.open ? close(true) : open(chip.dataset.choose);
});
for (const name of ["pointerdown", "focusin"]) {
  document.addEventListener(name, (event) => {
    if (!event.target.closest?.("#composer .choosing, #chips, .options")) close(false);
  });
}
document.addEventListener("keydown", (event) => {
  const inList = event.target.closest?.("[aria-expanded=true]:not([data-choose])"); // Escape closes the list first
  if (event.key !== "Escape" || !composer.dataset.open || inList) return;
  event.stopPropagation(); // it would stop the answer
  close(true);
}, true);
// Gradio gives each radio button a name of its own, and again whenever one is chosen. One name makes them one group,
// in which the browser's arrow keys work.
composer.addEventListener("keydown", () => {
  for (const radio of composer.querySelectorAll("#strategy input")) radio.name = "strategy";
}, true);
// A link in a panel that leads to another page: static/navigation.js opens it.
composer.addEventListener("click", (event) => {
  if (event.target.closest("[data-tab]")) close(false);
});
watch("value", mark);
