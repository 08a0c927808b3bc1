// Of the list of conversations, see gr.HTML's js_on_load.
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-conversation]");
  if (chosen) trigger("select", { id: chosen.dataset.conversation });
});
