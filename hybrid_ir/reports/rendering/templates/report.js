(() => {
  "use strict";

  // Theme: that of the system until the reader chooses one.
  const root = document.documentElement;
  const toggle = document.getElementById("theme");
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => { toggle.textContent = dark() ? "Light theme" : "Dark theme"; };
  toggle.hidden = false;
  toggle.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();

  // Tables: a button in each heading sorts by its column, numbers from the highest, then the other way round. What was
  // not measured stays last.
  const key = (row, column) => row.cells[column].dataset.key;
  const compare = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
  const sort = (table, heading, column) => {
    const directions = ["ascending", "descending"];
    if (heading.classList.contains("numeric")) directions.reverse();
    const direction = directions[heading.getAttribute("aria-sort") === directions[0] ? 1 : 0];
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const [first, second] = [key(a, column), key(b, column)];
      if (first === undefined || second === undefined) return (first === undefined) - (second === undefined);
      return direction === "ascending" ? compare(first, second) : compare(second, first);
    });
    table.tBodies[0].append(...rows);
  };
  for (const table of document.querySelectorAll("table")) {
    [...table.tHead.rows[table.tHead.rows.length - 1].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sort(table, heading, column));
      heading.replaceChildren(button);
    });
  }

  // What scrolls can be reached, and so scrolled, by keyboard.
  const reachable = () => {
    for (const box of document.querySelectorAll(".scroll, .panels.single")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", reachable);
  document.addEventListener("toggle", reachable, true);
  reachable();

  // On paper nothing can be unfolded.
  addEventListener("beforeprint", () => { for (const fold of document.querySelectorAll("details")) fold.open = true; });
})();
