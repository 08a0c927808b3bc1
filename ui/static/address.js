// The page's address names what is shown, so that it can be opened again, see gr.HTML's js_on_load.
const write = () => {
  const address = new URL(window.location);
  for (const [name, value] of Object.entries(JSON.parse(element.textContent || "{}"))) {
    value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
  }
  window.history.replaceState(window.history.state, "", address);
};
watch("value", write);
window.addEventListener("popstate", write); // Back leads to another page, and to no other conversation
