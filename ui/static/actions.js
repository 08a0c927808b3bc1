// Links that an answer offers as actions, see gr.HTML's js_on_load: the chat's own contents cannot trigger anything.
const EVENTS = {
  again: "retry", with: "offer", edit: "edit", good: "like", bad: "like", previous: "show", next: "show", compare: "compare",
  ask: "ask", sources: "select",
};
let last = null;
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('#conversation a[href^="#do-"]');
  if (!link) return;
  event.preventDefault();
  event.stopPropagation();
  const [, action, turn] = link.getAttribute("href").match(/^#do-([a-z]+)-(\d+)$/);
  if (action === "with") document.dispatchEvent(new CustomEvent("open-panel", { detail: { name: "retry", link } }));
  if (action === "sources") document.dispatchEvent(new CustomEvent("open-sources", { detail: { link } }));
  last = { action, turn };
  trigger(EVENTS[action], { action, turn });
}, true);
// Another answer is drawn anew: the focus goes to the same arrow, or to the other one where there are no more.
document.addEventListener("variant-shown", () => {
  if (!last || document.activeElement !== document.body) return;
  const arrow = (name) => document.querySelector(`#conversation a[href="#do-${name}-${last.turn}"]`);
  (arrow(last.action) ?? arrow(last.action === "next" ? "previous" : "next"))?.focus();
});
