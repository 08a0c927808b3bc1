// Of the cards and of the viewer, see gr.HTML's js_on_load: what is clicked is told to Python.
element.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener?.matches("form")) return; // it is opened when it is sent
  if (opener) return trigger("select", { ...opener.dataset });
  const judged = event.target.closest("[data-grade]");
  if (judged) return trigger("like", { ...judged.dataset });
  if (event.target.closest("[data-close]")) return trigger("clear", {});
  const zoom = event.target.closest("[data-zoom]");
  const sheet = element.querySelector(".sheet");
  if (zoom && sheet) {
    const size = Number(sheet.dataset.size || 1) * (zoom.dataset.zoom > 0 ? 1.25 : 0.8);
    sheet.dataset.size = Math.min(4, Math.max(0.8, size));
    sheet.style.setProperty("--zoom", sheet.dataset.size);
  }
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = event.target.querySelector("input[type=password]");
  if (!field?.value) return field?.focus();
  trigger("select", { ...event.target.dataset, password: field.value });
  field.value = "";
});
// A word of the question shows what it matched in the passage.
const point = (row, on) => {
  const heat = row?.closest(".part")?.querySelector(".heat");
  heat?.querySelectorAll(`[data-words*=" ${row.dataset.word} "]`).forEach((word) => word.classList.toggle("pointed", on));
};
for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  element.addEventListener(name, (event) => point(event.target.closest?.("tr[data-word]"), on));
}
// The first cited word comes into sight.
watch?.("value", () => {
  element.querySelector(".why")?.scrollTo(0, 0); // it may be the element that was the page before
  const sheet = element.querySelector(".sheet"), box = sheet?.querySelector("rect, mark");
  if (!box) return;
  const show = () => {
    const place = box.getBoundingClientRect(), frame = sheet.getBoundingClientRect();
    sheet.scrollTop += place.top - frame.top - frame.height / 3;
  };
  const image = sheet.querySelector("img");
  image && !image.complete ? image.addEventListener("load", show) : show();
});
