// Links that an answer offers as actions, see gr.HTML's js_on_load: the chat's own contents cannot trigger anything.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('#conversation a[href^="#do-"]');
  if (!link) return;
  event.preventDefault();
  event.stopPropagation();
  const [, action, turn] = link.getAttribute("href").match(/^#do-([a-z]+)-(\d+)$/);
  trigger({ again: "retry", edit: "edit", good: "like", bad: "like" }[action], { action, turn });
}, true);
