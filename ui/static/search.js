// Of the field above the list of conversations, see gr.HTML's js_on_load: it searches once a person pauses.
const PAUSE_MS = 250;
const field = element.querySelector("input");
let pause = 0;
const search = () => {
  clearTimeout(pause);
  trigger("submit", { words: field.value });
};
field.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(search, PAUSE_MS);
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter") search();
  if (event.key !== "Escape" || !field.value) return;
  event.preventDefault();
  event.stopPropagation(); // it would stop the answer
  field.value = "";
  search();
});
