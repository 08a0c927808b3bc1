// Of a dialog that lies over the page, see gr.HTML's js_on_load. The browser keeps the focus in it, closes it at
// Escape, and gives the focus back.
const dialog = () => element.querySelector("dialog");
watch("value", () => {
  const shown = dialog();
  if (!shown || shown.open) return;
  shown.showModal();
  shown.addEventListener("close", () => trigger("clear", {}), { once: true });
});
element.addEventListener("click", (event) => {
  // Beside its content: the dialog itself is the backdrop's target.
  if (event.target === dialog() || event.target.closest("[data-close]")) dialog().close();
});
