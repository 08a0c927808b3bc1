() => {
  // A new question goes to the top of the view, wherever the person had scrolled, and stays there while its answer
  // grows: the last answer has room for a whole view below the question.
  let shown = "";
  const lastOf = (conversation) => [...conversation.querySelectorAll(".question")].at(-1)?.closest(".message-row");
  const makeRoom = (conversation) => {
    const frame = conversation.querySelector(".bubble-wrap"), last = lastOf(conversation);
    if (!frame || !last) return;
    const room = frame.clientHeight - last.offsetHeight - 2 * parseFloat(getComputedStyle(last).marginTop || 0);
    conversation.style.setProperty("--room", `${Math.max(0, Math.floor(room))}px`);
  };
  // Runs at each word of an answer, so it measures nothing unless there is a new question.
  const settle = (conversation) => {
    // How a question was understood comes later, inside its element: it is no new question.
    const questions = [...conversation.querySelectorAll(".question")];
    const now = questions.map((question) => question.firstChild?.textContent).join("\n");
    if (now === shown) return;
    shown = now;
    const frame = conversation.querySelector(".bubble-wrap"), last = lastOf(conversation);
    if (!frame || !last) return;
    makeRoom(conversation);
    frame.scrollTop += last.getBoundingClientRect().top - frame.getBoundingClientRect().top - 8;
  };
  const watch = (tries) => {
    const conversation = document.getElementById("conversation");
    if (!conversation) return tries > 0 && setTimeout(() => watch(tries - 1), 100);
    new MutationObserver(() => settle(conversation)).observe(conversation, { childList: true, subtree: true });
    new ResizeObserver(() => makeRoom(conversation)).observe(conversation);
    settle(conversation);
  };
  watch(100);
}
