// Of the columns and of the passage below them, see gr.HTML's js_on_load.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.show) trigger("select", { ...button.dataset });
  else if (button.dataset.grade) trigger("like", { ...button.dataset });
  else if ("close" in button.dataset) trigger("clear", {});
});
