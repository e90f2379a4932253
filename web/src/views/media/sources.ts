// Where media come from: a run's rich values, and files whose names end in a step. Both become series of items by key.
import { useEffect, useMemo, useReducer } from "react"
import { all, apiAddress, get, part } from "../../api/client"
import { invalidate, useResource } from "../../api/resource"
import type { Artifact, Json } from "../../api/types"

export interface RichFile { sha256: string; size?: number; mime?: string; path?: string }

/** One value at one step: what it says, and the file that shows it. */
export interface Item {
    run: string
    step: number
    kind: string
    value: { [key: string]: Json }
    path: string | null
    mime: string
}

export interface SeriesKey {
    key: string
    kind: string
    /** Of each run that has it: how many items, and those of files at once. */
    runs: Map<string, { count: number; items: Item[] | null }>
    /** How many more runs have it. */
    leftOut: number
}

/** So many runs stand beside each other in a panel. */
const runsMax = 12

interface RichKey { key: string; kind: string; count: number }
interface RichPoint { step: number; kind: string; value: Json; files: RichFile[] }

const endings: Record<string, string> = {
    png: "image", jpg: "image", jpeg: "image", gif: "image", webp: "image", svg: "image", bmp: "image",
    wav: "audio", mp3: "audio", ogg: "audio", flac: "audio", m4a: "audio", mp4: "video", webm: "video", mov: "video",
}

export function kindOfPath(path: string): string | null {
    return endings[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? null
}

export function fileAddress(run: string, path: string): string {
    return apiAddress(`runs/${part(run)}/artifacts/${path.split("/").map(part).join("/")}`)
}

/** Files that a rich value names carry step and digest in their names: they are shown there, not as files of their own. */
const isOfRich = (path: string): boolean => /^media\/.*_(-?\d+|last)_[0-9a-f]{8}(\.\w+)+$/.test(path)

/** `media/samples_400.png` → samples, 400: the last number of the name is the step. */
export function itemsOfFiles(run: string, artifacts: { path: string }[]): Map<string, Item[]> {
    const found = new Map<string, Item[]>()
    for (const { path } of artifacts) {
        const kind = kindOfPath(path)
        if (!kind || isOfRich(path)) continue
        const name = path.replace(/\.\w+$/, "")
        const number = /(\d+)$/.exec(name)
        const key = number ? name.slice(0, -number[1]!.length).replace(/[_\-./]+$/, "") || name : name
        const list = found.get(key) ?? []
        list.push({ run, step: number ? Number(number[1]) : 0, kind, value: {}, path, mime: "" })
        found.set(key, list)
    }
    found.forEach(list => list.sort((a, b) => a.step - b.step))
    return found
}

function itemOf(run: string, point: RichPoint): Item {
    const value = typeof point.value === "string" ? { text: point.value } : Array.isArray(point.value) || point.value === null || typeof point.value !== "object" ? { value: point.value } : point.value
    const file = point.files[0]
    return { run, step: point.step, kind: point.kind, value, path: file?.path ?? null, mime: file?.mime ?? "" }
}

/** What is looked at first stands first. */
const order = ["image", "video", "figure", "table", "object3d", "audio", "text", "html", "histogram"]

interface RunMedia { rich: RichKey[]; files: Map<string, Item[]> }

/** What there is to show of these runs, by key. A key that two runs use for different kinds is two series. */
export function useSeriesKeys(runs: string[], isLive: boolean): { keys: SeriesKey[]; isLoading: boolean } {
    const name = runs.join(",")
    const found = useResource(runs.length ? `run/${name}/media` : null, () => Promise.all(runs.map(async (run): Promise<[string, RunMedia]> => {
        const [rich, artifacts] = await Promise.all([
            get<{ keys: RichKey[] }>(`runs/${part(run)}/rich`).then(answer => answer.keys, () => []),
            all<Artifact>(`runs/${part(run)}/artifacts?limit=10000`, "artifacts").catch(() => [] as Artifact[]),
        ])
        return [run, { rich, files: itemsOfFiles(run, artifacts) }]
    })))
    useEffect(() => {
        if (!isLive) return undefined
        const timer = window.setInterval(() => invalidate(`run/${name}/media`), 10_000)
        return () => window.clearInterval(timer)
    }, [isLive, name])
    const keys = useMemo(() => {
        const series = new Map<string, SeriesKey>()
        const add = (key: string, kind: string, run: string, count: number, items: Item[] | null): void => {
            const one = series.get(`${kind}\n${key}`) ?? { key, kind, runs: new Map(), leftOut: 0 }
            if (one.runs.size < runsMax) one.runs.set(run, { count, items })
            else one.leftOut += 1
            series.set(`${kind}\n${key}`, one)
        }
        for (const [run, media] of found.data ?? []) {
            for (const one of media.rich) add(one.key, one.kind, run, one.count, null)
            media.files.forEach((items, key) => add(key, items[0]!.kind, run, items.length, items))
        }
        const rank = (one: SeriesKey): number => order.indexOf(one.kind)
        return Array.from(series.values()).sort((a, b) => rank(a) - rank(b) || a.key.localeCompare(b.key, "en", { numeric: true }))
    }, [found.data])
    return { keys, isLoading: found.isLoading }
}

// Points of rich values, asked for once; what comes later is asked for from the last step on.
interface Held { items: Item[]; count: number; pending: boolean; watchers: Set<() => void> }
const held = new Map<string, Held>()
const heldMax = 400
const firstPage = 200
const pageMax = 10_000

/** The items of one key in these runs, in order of step; more arrive while they are read. */
export function useItems(series: SeriesKey, isWanted: boolean): Item[] {
    const [round, redraw] = useReducer((count: number) => count + 1, 0)
    useEffect(() => {
        if (!isWanted) return undefined
        const watched = Array.from(series.runs).filter(([, about]) => !about.items).map(([run, about]) => {
            const entry = heldOf(run, series.key)
            entry.watchers.add(redraw)
            void fill(entry, run, series.key, about.count)
            return entry
        })
        return () => watched.forEach(entry => entry.watchers.delete(redraw))
    }, [series, isWanted])
    return useMemo(() => Array.from(series.runs, ([run, about]) => about.items ?? held.get(`${run}\n${series.key}`)?.items ?? []).flat(), [series, round])
}

function heldOf(run: string, key: string): Held {
    const name = `${run}\n${key}`
    const known = held.get(name)
    if (known) return known
    for (const [other, entry] of held) if (held.size >= heldMax && entry.watchers.size === 0) held.delete(other)
    const made: Held = { items: [], count: 0, pending: false, watchers: new Set() }
    held.set(name, made)
    return made
}

/** Tells whoever watches by then: a page may be made anew while an answer is on its way. */
async function fill(entry: Held, run: string, key: string, count: number): Promise<void> {
    const tell = (): void => entry.watchers.forEach(watcher => watcher())
    if (entry.pending || entry.count >= count) return tell()
    entry.pending = true
    const path = `runs/${part(run)}/rich/${key.split("/").map(part).join("/")}`
    try {
        // A first page is there soon; the rest follows in large ones, from the last step that is there.
        for (let isFirst = entry.items.length === 0; ; isFirst = false) {
            const last = entry.items[entry.items.length - 1]?.step
            let kept = last === undefined ? [] : entry.items.filter(item => item.step < last)
            let token = ""
            do {
                const page: { points: RichPoint[]; next_page_token?: string | null } = await get(`${path}?limit=${isFirst ? firstPage : pageMax}${last === undefined ? "" : `&from=${last}`}${token && `&page_token=${part(token)}`}`)
                kept = kept.concat(page.points.map(point => itemOf(run, point)))
                entry.items = kept
                token = page.next_page_token ?? ""
                tell()
            } while (token && !isFirst)
            if (!token) break
        }
        entry.count = Math.max(count, entry.items.length)
    } catch {
        // What is not readable is not shown; the next look asks again.
    } finally {
        entry.pending = false
        tell()
    }
}

/** Each run's items at the newest step that is not later than this one: runs need not log at the same ones. */
export function itemsAt(items: Item[], step: number): Map<string, Item[]> {
    const found = new Map<string, Item[]>()
    for (const item of items) {
        if (item.step > step) continue
        const before = found.get(item.run)
        if (!before || before[0]!.step < item.step) found.set(item.run, [item])
        else if (before[0]!.step === item.step) before.push(item)
    }
    return found
}
