// Runs before the app, as a file of its own, because no script stands in the page: the theme must stand before the first
// paint, and what an experiment's page will ask for is asked while its script is still on its way.
import type { Early } from "./api/early"
import { firstLook } from "./views/look"

const kept = localStorage.getItem("martlet.theme")
const shown = document.documentElement
shown.dataset["theme"] = kept === "light" || kept === "dark" ? kept : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
shown.dataset["density"] = localStorage.getItem("martlet.density") ?? "normal"

const base = new URL(document.baseURI)
const [path, query] = location.href.slice(base.href.length).split("#")[0]!.split("?")
const [place, id, view] = path!.split("/")

if (place === "experiments" && id && view !== "runs") {
    const early: Early = { answers: new Map(), cursor: null, since: 0, ready: Promise.resolve() }
    window.martletEarly = early
    const headers = { Accept: "application/json", "Content-Type": "application/json" }
    const ask = (path: string, body?: string): Promise<Response> => fetch(new URL("api/v1/" + path, base), body === undefined ? { headers } : { headers, method: "POST", body })
    const later = (after: Promise<unknown>, path: string, body?: string): Promise<unknown> => {
        const answer = after.then(() => ask(path, body))
        early.answers.set(body === undefined ? path : `${path} ${body}`, answer)
        return answer.catch(() => undefined) // said by whoever takes it
    }
    // First where the feed stands: a stream that goes on from there misses nothing of the answers that follow.
    early.ready = ask("changes").then(async answer => {
        early.cursor = ((await answer.json()) as { cursor?: string }).cursor ?? null
        early.since = performance.now()
    }).catch(() => undefined)
    const name = decodeURIComponent(id)
    const isPlain = view === "table" && !query && localStorage.getItem(`martlet.table.${name}`) === null
    // The names of what 100,000 runs logged cost the server 20 times what a first look costs.
    const looked = isPlain ? later(early.ready, "runs/table", JSON.stringify(firstLook(name))) : early.ready
    void later(early.ready, `experiments/${encodeURIComponent(name)}`)
    void later(looked, `experiments/${encodeURIComponent(name)}/names`)
}
if (view === "table") void import("./views/RunTable")
else if (place === "runs" && id) void import("./views/RunPage")
