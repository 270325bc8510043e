// Datasette's menu closes when you click elsewhere, and by Escape: a file of its own, as our pages allow
// no inline script. It leaves every other disclosure of the page as it is.

const menus = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (
  document.querySelectorAll("details.nav-menu[open], details.actions-menu-links[open]")
);

document.addEventListener("click", (event) => {
  for (const menu of menus()) {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});
