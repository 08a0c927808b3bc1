// Runs with `element` (the list) and `trigger` (tells Python), see gr.HTML's js_on_load.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (!button || button.disabled) return;
  trigger("click", { act: button.dataset.act, role: button.dataset.role, name: button.dataset.name });
});
