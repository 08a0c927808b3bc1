// Looks whether another tab or a program has changed what this one shows, see gr.HTML's js_on_load.
const PAUSE_MS = 3000;
let known = null;
const look = async () => {
  const asked = new URL(window.location).searchParams;
  const shown = { conversation: asked.get("conversation"), collection: asked.get("collection") };
  // A look that fails says nothing; connection.js tells where the server is gone.
  const [state, isWriting] = await server.state_of(shown).catch(() => [known, false]);
  if (state !== known || isWriting) trigger("input");
  known = state;
  setTimeout(look, PAUSE_MS);
};
setTimeout(look, PAUSE_MS);
