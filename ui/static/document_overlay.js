// Of the open document, which lies over the page, see gr.HTML's js_on_load: the value is its id. What is behind it
// takes neither focus nor clicks. The address names it, so that Back closes it and a link opens it.
let shown = "";
const overlay = () => document.getElementById("library-preview");
const behind = () => document.querySelectorAll("#header, #library > :not(#library-preview, #library-opened)");
const named = () => new URL(window.location).searchParams.get("document") ?? "";
const close = () => document.getElementById("library-close")?.click();
const appear = (tries = 40) => {
  const title = overlay()?.querySelector("h3");
  if (!title?.offsetParent && getComputedStyle(title ?? element).position !== "fixed") {
    return tries > 0 && setTimeout(() => appear(tries - 1), 50); // it is being drawn
  }
  overlay().setAttribute("role", "dialog");
  overlay().setAttribute("aria-modal", "true");
  overlay().setAttribute("aria-labelledby", title.id);
  for (const one of behind()) one.inert = true;
  document.body.classList.add("overlaid");
  title.focus();
};
const open = (id) => {
  shown = id;
  if (named() !== id) {
    const address = new URL(window.location);
    address.searchParams.set("tab", "library");
    address.searchParams.set("document", id);
    window.history.pushState({ ...window.history.state, overlay: true }, "", address);
  }
  appear();
};
const leave = () => {
  const row = document.querySelector(`[data-key="open-${CSS.escape(shown)}"]`);
  shown = "";
  for (const one of behind()) one.inert = false;
  document.body.classList.remove("overlaid");
  if (named()) {
    const address = new URL(window.location);
    address.searchParams.delete("document");
    if (window.history.state?.overlay) window.history.back();
    else window.history.replaceState(window.history.state, "", address);
  }
  row?.focus({ preventScroll: true });
};
watch("value", () => {
  const id = element.textContent.trim();
  if (id !== shown) id ? open(id) : leave();
});
window.addEventListener("popstate", () => {
  if (named() === shown) return;
  named() ? trigger("select", { act: "open", id: named() }) : close();
});
document.addEventListener("keydown", (event) => {
  const choosing = event.target.closest?.("[role=combobox], [role=listbox]"); // Escape closes the list
  if (event.key === "Escape" && shown && !choosing) close();
});
document.addEventListener("click", (event) => {
  if (shown && !event.target.closest?.("#library-preview, .options") && event.target.isConnected) close();
});
if (named()) trigger("select", { act: "open", id: named() });
