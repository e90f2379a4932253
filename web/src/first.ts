// Runs before the app, as a file of its own, because no script stands in the page: the theme must stand before the first
// paint, and what an experiment's page will ask for is asked while its script is still on its way.
import type { Early } from "./api/early"

const kept = localStorage.getItem("martlet.theme")
const shown = document.documentElement
shown.dataset["theme"] = kept === "light" || kept === "dark" ? kept : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
shown.dataset["density"] = localStorage.getItem("martlet.density") ?? "normal"

const base = new URL(document.baseURI)
const [place, id, view] = location.href.slice(base.href.length).split(/[?#]/)[0]!.split("/")

if (place === "experiments" && id && view !== "runs") {
    const early: Early = { answers: new Map(), cursor: null, since: 0, ready: Promise.resolve() }
    window.martletEarly = early
    const ask = (path: string): Promise<Response> => fetch(new URL("api/v1/" + path, base), { headers: { Accept: "application/json" } })
    // First where the feed stands: a stream that goes on from there misses nothing of the answers that follow.
    early.ready = ask("changes").then(async answer => {
        early.cursor = ((await answer.json()) as { cursor?: string }).cursor ?? null
        early.since = performance.now()
    }).catch(() => undefined)
    const experiment = `experiments/${encodeURIComponent(decodeURIComponent(id))}`
    for (const path of [experiment, `${experiment}/names`]) {
        const answer = early.ready.then(() => ask(path))
        answer.catch(() => undefined) // said by whoever takes it
        early.answers.set(path, answer)
    }
}
if (view === "table") void import("./views/RunTable")
else if (place === "runs" && id) void import("./views/RunPage")
