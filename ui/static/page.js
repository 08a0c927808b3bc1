() => {
  // A marker in an answer opens the card that it names, and its page; the page's address stays as it is.
  document.addEventListener("click", (event) => {
    const marker = event.target.closest?.("a.marker");
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
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      document.querySelector("#question textarea, #question input")?.focus();
    }
    if (event.key === "Escape") document.getElementById("stop")?.click();
  });
}
