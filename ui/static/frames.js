// Before anything else of the page, because Gradio keeps the function that it finds at its start.
// Gradio's signs of loading have a clock that asks for the next frame in each frame. The clock of the page's first sign
// never stops, because the sign is taken away while it runs: an idle page would be drawn sixty times a second for good.
// A clock that nobody sees therefore gets no frame.
const nextFrame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => {
  const isClock = new Error().stack?.includes("/statustracker");
  if (isClock && !document.querySelector('[data-testid="status-tracker"]:not(.hide)')) return 0;
  return nextFrame(callback);
};
