() => {
  // The bar above the pages. Gradio's own row of tabs is not shown: the bar's links click in it, so that a page works only
  // once it is seen. The address names the open page, and Back leads to the one before it.
  const bar = document.getElementById("header");
  const LAB = ["compare", "evaluate", "inspect"];
  const RENAMED = { documents: "library" }; // in addresses that were kept
  const tabOf = (page) => document.querySelector(`#pages > .tab-wrapper [data-tab-id="${CSS.escape(page)}"]`);
  const current = () => document.querySelector('#pages > .tab-wrapper [aria-selected="true"]')?.dataset.tabId ?? "chat";
  const latestOfLab = () => LAB.find((page) => page === sessionStorage.getItem("lab")) ?? LAB[0];
  const pageOf = (name) => (name === "lab" ? latestOfLab() : RENAMED[name] ?? name);
  const named = () => pageOf(new URL(window.location).searchParams.get("tab") ?? "chat");
  const mark = (page = current()) => {
    const isLab = LAB.includes(page);
    for (const link of bar.querySelectorAll("a[data-tab]")) {
      const { tab } = link.dataset;
      if (tab === page) link.setAttribute("aria-current", "page");
      else if (tab === "lab" && isLab) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    bar.querySelector("nav.lab").hidden = !isLab;
    document.body.classList.toggle("in-lab", isLab);
  };
  const whenDrawn = (find, act, tries = 50) => {
    const found = find();
    if (found) act(found);
    else if (tries > 0) setTimeout(() => whenDrawn(find, act, tries - 1), 100);
  };
  const show = (page) => whenDrawn(() => tabOf(page), (tab) => {
    if (page !== current()) tab.click();
    if (LAB.includes(page)) sessionStorage.setItem("lab", page);
    mark(page);
  });
  const addressOf = (page) => {
    const address = new URL(window.location);
    page === "chat" ? address.searchParams.delete("tab") : address.searchParams.set("tab", page);
    return address;
  };
  document.addEventListener("click", (event) => {
    for (const sign of bar.querySelectorAll("details[open]")) {
      if (!sign.contains(event.target)) sign.open = false;
    }
    const link = event.target.closest?.("a[data-tab]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // those open it in a tab of the browser
    event.preventDefault();
    const page = pageOf(link.dataset.tab);
    if (page !== named()) window.history.pushState({}, "", addressOf(page));
    show(page);
  });
  bar.addEventListener("keydown", (event) => {
    const sign = event.target.closest("details[open]");
    if (event.key !== "Escape" || !sign) return;
    event.stopPropagation(); // it would stop the answer
    sign.open = false;
  });
  window.addEventListener("popstate", () => show(named()));
  new MutationObserver(() => mark()).observe(bar, { childList: true, subtree: true }); // it is drawn anew
  if (named() !== "chat") window.history.replaceState(window.history.state, "", addressOf(named()));
  show(named());
  // Gradio says that a page is a panel of tabs, of which nobody sees any here.
  const rename = () => {
    for (const page of document.querySelectorAll('#pages > [role="tabpanel"]')) page.removeAttribute("role");
  };
  whenDrawn(() => document.getElementById("pages"), (pages) => {
    new MutationObserver(rename).observe(pages, { childList: true });
    rename();
  });
}
