() => {
  // What was refused stands at its field. Where that is out of sight, the page scrolls as far as it has to.
  const reveal = (alert, tries) => {
    if (!alert.isConnected || alert.closest("#conversation")) return; // answers stay where they are read
    if (!alert.checkVisibility()) return tries > 0 && setTimeout(() => reveal(alert, tries - 1), 100); // its tab opens
    const { top, bottom } = alert.getBoundingClientRect();
    if (top < 0 || bottom > window.innerHeight) alert.scrollIntoView({ block: "nearest" });
  };
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        const alert = node.matches?.("[role=alert]") ? node : node.querySelector?.("[role=alert]");
        if (alert) requestAnimationFrame(() => reveal(alert, 30)); // its place is known once the page is drawn
      }
    }
  }).observe(document.body, { childList: true, subtree: true });
}
