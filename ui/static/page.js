() => {
  // A marker in an answer opens the card that it names, and its page; the page's address stays as it is.
  // Of the chat alone: Compare's answers number their sources in the same way.
  document.addEventListener("click", (event) => {
    const marker = event.target.closest?.("#conversation a.marker");
    if (!marker) return;
    event.preventDefault();
    const reveal = (tries) => {
      const card = document.getElementById(marker.getAttribute("href").slice(1));
      if (!card) return tries > 0 && setTimeout(() => reveal(tries - 1), 100);
      card.open = true;
      card.scrollIntoView({ block: "nearest", behavior: "smooth" });
      card.classList.add("flash");
      card.querySelector('[data-open="page"]')?.click();
      setTimeout(() => card.classList.remove("flash"), 1500);
    };
    reveal(20); // an older answer's sources are being fetched
  });
  // What is typed and not asked is there after a reload, of this tab alone.
  const question = () => document.querySelector("#question textarea");
  window.addEventListener("pagehide", () => sessionStorage.setItem("question", question()?.value ?? ""));
  const restore = (text, tries) => {
    const field = question();
    if (!field) return tries > 0 && setTimeout(() => restore(text, tries - 1), 100);
    if (field.value) return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const unsent = sessionStorage.getItem("question");
  if (unsent) restore(unsent, 50);
  // Of what the pages have, that of the open one.
  const inSight = (selector) =>
    [...document.querySelectorAll(selector)].find((one) => one.offsetParent !== null);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    if (event.key === "/" && !typing) {
      const box = inSight(":is(#question, #compare-question, #inspect-question) :is(textarea, input)");
      if (!box) return;
      event.preventDefault();
      box.focus();
    }
    // In a list of choices it closes the list.
    const choosing = event.target.closest?.("[role=combobox], [role=listbox], [aria-expanded=true]");
    if (event.key === "Escape" && !choosing) inSight("#stop, #compare-stop")?.click();
  });
}
