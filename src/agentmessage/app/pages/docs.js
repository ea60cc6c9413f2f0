// The reader's own choice of light or dark, also when it changes while the page is open.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
function dress() {
  document.querySelector("rapi-doc")?.setAttribute("theme", dark.matches ? "dark" : "light");
}
document.addEventListener("DOMContentLoaded", dress);
dark.addEventListener("change", dress);
