// Runs with `element`, `trigger` (tells Python) and `watch`, see gr.HTML's js_on_load. A new rendering is put
// into the elements that are there, place by place: what a person typed or ticked has to follow its row.
const typed = new Map();
let focused = null;

element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  // A document that is opened is an event of its own: the page scrolls to it.
  if (button) trigger(button.dataset.act === "open" ? "select" : "act", { ...button.dataset });
});
element.addEventListener("change", (event) => {
  const box = event.target.closest("input[type=checkbox][data-act]");
  if (box) trigger("act", { ...box.dataset, on: box.checked });
});
element.addEventListener("input", (event) => {
  if (event.target.type === "password") typed.set(event.target.dataset.key, event.target.value);
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = event.target.querySelector("input[type=password]");
  if (!field.value) return field.focus();
  trigger("act", { ...event.target.dataset, password: field.value });
  typed.delete(field.dataset.key);
  field.value = "";
});
element.addEventListener("focusin", (event) => {
  focused = event.target.dataset.key ?? null;
});
watch("value", () => {
  for (const box of element.querySelectorAll("input[type=checkbox]")) box.checked = box.defaultChecked;
  for (const field of element.querySelectorAll("input[type=password]"))
    field.value = typed.get(field.dataset.key) ?? "";
  const active = document.activeElement;
  if (focused && element.contains(active) && active.dataset.key !== focused)
    element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
});
