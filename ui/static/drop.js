() => {
  // Files that are dropped anywhere on the page are added, as in the field for them, which says what it takes.
  const note = document.createElement("div");
  note.id = "drop-note";
  note.setAttribute("role", "status");
  document.body.append(note);
  const field = () => [...document.querySelectorAll("#library-upload input[type=file], #upload input[type=file]")]
    .find((one) => one.closest(".tabitem")?.offsetParent !== null && one.closest(".block")?.offsetParent !== null);
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  let timer = null;
  const show = (words) => {
    note.textContent = words;
    note.classList.toggle("shown", Boolean(words));
  };
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = field() ? "copy" : "none";
    show(field() ? "Drop the files to add them to your documents." : "Files are added on the pages Chat and Library.");
    clearTimeout(timer);
    timer = setTimeout(() => show(""), 300); // it comes several times a second while files are over the page
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show("");
    if (event.target.closest?.("#upload, #library-upload, #library-preview")) return; // a field takes them itself
    event.stopPropagation();
    const input = field();
    if (!input) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, true);
}
