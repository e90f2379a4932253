// Runs before the page is read on, as a file of its own, because no script stands in the page: the theme must stand before the
// first paint, and what the page will ask for is asked while its script is still on its way.
import type { Early, Answer } from "./api/early"
import type { Run } from "./api/types"
import { artifactsAtFirst, firstLook, isEndedBadly, lastWordsQuestion, listQuestion, ordersOf, runQuestion } from "./views/look"

const kept = (name: string): string | null => localStorage.getItem(`martlet.${name}`)
const theme = kept("theme")
const shown = document.documentElement
shown.dataset["theme"] = theme === "light" || theme === "dark" ? theme : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
shown.dataset["density"] = kept("density") ?? "normal"

const base = new URL(document.baseURI)
const [path, search] = location.href.slice(base.href.length).split("#")[0]!.split("?")
const [place, id, view] = path!.split("/").map(decodeURIComponent)
const query = new URLSearchParams(search)
const part = encodeURIComponent

const early: Early = { answers: new Map(), wanted: Promise.resolve() }

/** Asks now, in the words in which the app will ask. */
function ask(path: string, body?: object): Promise<Answer> {
    const headers = { Accept: "application/json", "Content-Type": "application/json", "Martlet-Cursor": "?" }
    const text = body && JSON.stringify(body)
    const answer = fetch(new URL("api/v1/" + path, base), text === undefined ? { headers } : { headers, method: "POST", body: text })
        .then(async response => ({ response, data: response.ok ? await response.json() as unknown : undefined, at: performance.now() }))
    early.answers.set(text === undefined ? path : `${path} ${text}`, answer)
    answer.catch(() => undefined) // said by whoever takes it
    return answer
}

if (place === "experiments" && id && view !== "runs") {
    const experiment = ask(`experiments/${part(id)}`)
    const names = `experiments/${part(id)}/names`
    const filter = query.get("q") ?? ""
    if (view === "table" && !query.has("columns") && !kept(`table.${id}`)) {
        // The names of what 100,000 runs logged cost the server 20 times what a first look costs.
        const look = ask("runs/table", firstLook(id, filter, ordersOf(query.get("sort"))))
        early.wanted = Promise.all([experiment, look])
        void look.then(() => ask(names), () => undefined)
    } else if (view === undefined || view === "") {
        early.wanted = Promise.all([experiment, ask(names).then(answer => answer.data
            && ask("runs/table", listQuestion(id, filter, query.get("cols") ?? kept(`cols.${id}`), (answer.data as { metrics: string[] }).metrics)))])
    } else early.wanted = Promise.all([experiment, ask(names)])
} else if (place === "runs" && id && id !== "search") {
    const run = ask(runQuestion(id))
    const wanted: Promise<unknown>[] = [run, ask(`runs/${part(id)}/metrics`)]
    if (view === "artifacts") wanted.push(ask(`runs/${part(id)}/artifacts?limit=${artifactsAtFirst}`))
    // Why it died stands at the top.
    if (!view) wanted.push(run.then((answer): unknown => isEndedBadly(answer.data as Run | undefined) && ask(lastWordsQuestion((answer.data as Run).id))))
    early.wanted = Promise.all(wanted)
}
if (early.answers.size > 0) window.martletEarly = early
