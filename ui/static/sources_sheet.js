() => {
  // On a phone the sources are a sheet over the chat. A marker or the action "Sources" opens it; its Back button, the
  // browser's Back and Escape close it. page.css says from which width on they are a pane beside the chat.
  const narrow = window.matchMedia("(max-width: 640px)");
  const panes = () => document.getElementById("panes");
  const back = () => document.getElementById("sources-back");
  const isOpen = () => panes()?.hasAttribute("data-sheet") ?? false;
  let opener = null;
  const cover = (on) => {
    const pane = document.getElementById("sources-pane");
    panes().toggleAttribute("data-sheet", on);
    for (const [name, value] of [["role", "dialog"], ["aria-modal", "true"], ["aria-label", "Sources"]]) {
      on ? pane.setAttribute(name, value) : pane.removeAttribute(name);
    }
    for (const one of document.querySelectorAll("#header, #chat-pane, #documents-pane")) one.inert = on;
    on ? back()?.focus() : (opener?.isConnected ? opener : document.querySelector(`#conversation a[href="${opener?.getAttribute("href")}"]`))?.focus();
  };
  const open = (link) => {
    if (!narrow.matches || isOpen()) return;
    opener = link;
    window.history.pushState({ ...window.history.state, sheet: true }, "");
    cover(true);
  };
  document.addEventListener("open-sources", (event) => open(event.detail.link));
  document.addEventListener("click", (event) => {
    const marker = event.target.closest?.("#conversation a.marker");
    if (marker) open(marker);
    else if (event.target.closest?.("#sources-back")) window.history.back();
  });
  window.addEventListener("popstate", () => {
    const wanted = Boolean(window.history.state?.sheet) && narrow.matches;
    if (wanted !== isOpen()) cover(wanted);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    event.stopPropagation(); // it would stop the answer
    window.history.back();
  }, true);
  narrow.addEventListener("change", () => {
    if (isOpen()) window.history.back();
  });
}
