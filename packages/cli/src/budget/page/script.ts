/**
 * What the page's script adds: what a frame is, where one can read it without waiting for a tool tip, and where else it is.
 * Everything can be read without it. No part of the kernel is ever in it.
 */
export const SCRIPT = `
(() => {
  const told = document.getElementById("told");
  const tell = (event) => {
    const cell = event.target instanceof Element ? event.target.closest(".f") : null;
    for (const other of document.querySelectorAll(".f.same")) other.classList.remove("same");
    const title = cell === null ? "" : cell.querySelector("title").textContent;
    told.textContent = title;
    if (cell === null) return;
    const name = title.split("\\n")[0];
    for (const other of cell.closest("svg").querySelectorAll(".f")) {
      if (other.querySelector("title").textContent.split("\\n")[0] === name) other.classList.add("same");
    }
  };
  addEventListener("click", tell);
  addEventListener("focusin", tell);
})();
`;
