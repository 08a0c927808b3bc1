// Of the columns, of the passage below them and of the answers, see gr.HTML's js_on_load.
element.addEventListener("click", (event) => {
  const marker = event.target.closest("a.marker");
  if (marker) {
    event.preventDefault();
    const [, turn, number] = marker.getAttribute("href").match(/^#source-(\d+)-(\d+)$/);
    return trigger("select", { turn, number });
  }
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.show) trigger("select", { ...button.dataset });
  else if (button.dataset.grade) trigger("like", { ...button.dataset });
  else if ("close" in button.dataset) trigger("clear", {});
});
