// Runs before the app: the theme must stand before the first paint. A file of its own, because no script stands in the
// page.
const kept = localStorage.getItem("martlet.theme")
const root = document.documentElement
root.dataset.theme =
    kept === "light" || kept === "dark" ? kept : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
root.dataset.density = localStorage.getItem("martlet.density") ?? "normal"

export {}
