/**
 * What the page's script adds; everything can be read and reached without it. Written for the browser as it is: no part of
 * the dump is ever in it.
 */
export const SCRIPT = `
(() => {
  const reveal = () => {
    const target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
    if (target === null) return;
    for (let element = target; element; element = element.parentElement) {
      if (element.tagName === "DETAILS") element.open = true;
    }
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  reveal();
  // A second click on the same link changes no fragment, yet what it leads to may have been closed since.
  addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    if (link !== null && link.getAttribute("href") === location.hash) setTimeout(reveal);
  });
  for (const tools of document.querySelectorAll(".tools")) {
    const section = tools.closest("section");
    const started = [...section.querySelectorAll("details")].filter((one) => one.open);
    const button = (text, action) => {
      const element = document.createElement("button");
      element.type = "button";
      element.textContent = text;
      element.addEventListener("click", action);
      tools.append(" ", element);
    };
    const set = (list, open) => list.forEach((one) => { one.open = open; });
    button("Open all", () => set([...section.querySelectorAll("details:not(.why)")], true));
    button("As at first", () => {
      set([...section.querySelectorAll("details")], false);
      set(started, true);
    });
  }
})();
`;
