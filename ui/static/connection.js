() => {
  // A request that does not reach the server waits until it is back, so that no handler fails and nothing on the
  // page turns into an error. Wraps fetch, through which Gradio sends every event and reads every stream.
  const send = window.fetch;
  const bar = document.createElement("div");
  bar.id = "connection";
  document.body.append(bar);
  const say = (words, role) => {
    document.documentElement.toggleAttribute("data-lost", role === "status" && words !== "");
    if (bar.dataset.said === words) return;
    bar.dataset.said = bar.textContent = words;
    bar.setAttribute("role", role);
    if (role === "status" || !words) return;
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => say("", role));
    bar.append(" ", close);
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1000));
  const run = window.gradio_config?.app_id;
  // Resolves once this run of the server answers. Another run knows nothing of this page, which loads again as
  // soon as the browser may open it.
  const look = async () => {
    for (;; await pause()) {
      try {
        const found = await send("gradio_api/app_id", { cache: "no-store" });
        if (found.status === 401) return location.reload(), new Promise(() => {}); // to the form of the login
        if (!found.ok) continue;
        if ((await found.json()).app_id === run) return say("", "status");
        const mine = await send("theme.css", { cache: "no-store", headers: { Accept: "application/json" } });
        if (mine.status !== 401 || !mine.headers.get("WWW-Authenticate")) return location.reload(), new Promise(() => {});
        say("The server was started again. Open the address that it printed in this browser, and this page goes on.", "status");
      } catch {
        say("Reconnecting…", "status");
      }
    }
  };
  let looking = null;
  const back = () => (looking ??= look().finally(() => (looking = null)));

  const failed = async (response) => {
    const said = await response.clone().json().catch(() => ({}));
    const id = response.headers.get("X-Request-Id");
    const words = said.error ?? "Something in the application is broken; its log has the details.";
    say(id ? `${words} (request ${id})` : words, "alert");
  };
  // It was said above; Gradio throws it once more, where nothing can catch it.
  window.addEventListener("unhandledrejection", (event) => {
    if (event.reason?.message === "Dependency function failed") event.preventDefault();
  });

  window.fetch = async (input, options) => {
    const address = new URL(input instanceof Request ? input.url : input, location);
    if (address.origin !== location.origin || input instanceof Request) return send(input, options);
    for (;;) {
      try {
        const response = await send(input, options);
        if (response.status >= 500 && address.pathname.includes("/run/")) failed(response);
        // A stream that breaks off: Gradio stops the page then, and nothing else would notice.
        if (response.ok && /\/(queue\/data|heartbeat\/)/.test(address.pathname))
          response.clone().body?.pipeTo(new WritableStream()).catch((error) => error?.name !== "AbortError" && back());
        return response;
      } catch (error) {
        if (error.name === "AbortError" || options?.signal?.aborted) throw error;
        await back();
      }
    }
  };
}
