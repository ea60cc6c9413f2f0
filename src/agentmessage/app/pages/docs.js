// The reader's own choice of light or dark, also when it changes while the page is open.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
function dress() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}
dress();
dark.addEventListener("change", dress);

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  defaultModelRendering: "model",
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
});
