// Runs with `element` (the list) and `trigger` (tells Python), see gr.HTML's js_on_load.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-delete]");
  if (button) trigger("delete", { id: button.dataset.delete });
});
