() => {
  // A new question goes to the top of the view, wherever the person had scrolled, and stays there while its answer
  // grows: the last answer has room for a whole view below the question.
  let shown = "";
  const settle = (conversation) => {
    const frame = conversation.querySelector(".bubble-wrap");
    const questions = [...conversation.querySelectorAll(".question")];
    const last = questions.at(-1)?.closest(".message-row");
    if (!frame || !last) return (shown = "");
    const room = frame.clientHeight - last.offsetHeight - 2 * parseFloat(getComputedStyle(last).marginTop || 0);
    document.documentElement.style.setProperty("--room", `${Math.max(0, Math.floor(room))}px`);
    // How a question was understood comes later, inside its element: it is no new question.
    const now = questions.map((question) => question.firstChild?.textContent).join("\n");
    if (now === shown) return;
    shown = now;
    frame.scrollTop += last.getBoundingClientRect().top - frame.getBoundingClientRect().top - 8;
  };
  const watch = (tries) => {
    const conversation = document.getElementById("conversation");
    if (!conversation) return tries > 0 && setTimeout(() => watch(tries - 1), 100);
    const look = () => settle(conversation);
    new MutationObserver(look).observe(conversation, { childList: true, subtree: true, characterData: true });
    new ResizeObserver(look).observe(conversation);
  };
  watch(100);
}
