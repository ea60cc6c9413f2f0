// Before the page is drawn, so that it does not flash in the other colors.
document.body.dataset.theme = localStorage.getItem("theme") || "auto";
