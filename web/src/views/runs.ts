// The runs of an experiment as the pages hold them: in columns, in one answer, with the params that tell them apart.
import { useEffect, useRef, useState } from "react"
import { ApiError, post } from "../api/client"
import { numberOfShortID } from "../charts/palette"
import { type Json, type RunState, type RunTableAnswer, numberOf } from "../api/types"
import { formatValue } from "../ui/format"

export interface RunRow {
    id: string
    shortID: string
    /** From zero; gives the colour. */
    number: number
    name: string
    state: RunState
    status: string
    start: number
    end: number | null
    user: string | null
    experiment: string
    params: Record<string, Json | null>
    metrics: Record<string, number | null>
    tags: Record<string, string | null>
}

export interface RunRows {
    rows: RunRow[]
    total: number
    advice: string[]
    /** When the first of it was asked for. */
    asked: number
}

export interface Question {
    /** All experiments, where none is named. */
    experiment_id?: string[]
    filter?: string
    order_by?: string[]
    metrics: string[]
    params: string[]
    tags?: string[]
    max?: number
}

const firstPage = 500
/** So long a person looks at the first page, and may ask for another order or filter, before the rest is fetched. */
const restAfterMilliseconds = 600

function pause(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
        const timer = window.setTimeout(resolve, restAfterMilliseconds)
        signal?.addEventListener("abort", () => { window.clearTimeout(timer); reject(new Error("stopped")) })
    })
}

/** As many runs as are wanted, page by page; `onPage` hears of what there is so far, the first page being a small one. */
export async function fetchRuns(question: Question, onPage?: (found: RunRows) => void, signal?: AbortSignal): Promise<RunRows> {
    const { max = 2000, ...rest } = question
    const asked = performance.now()
    const rows: RunRow[] = []
    let token: string | null = null
    let answer: RunTableAnswer
    do {
        const limit: number = Math.min(onPage && rows.length === 0 ? firstPage : 10_000, max - rows.length)
        answer = await post<RunTableAnswer>("runs/table", { ...rest, limit, page_token: token ?? undefined }, signal)
        if (signal?.aborted) throw new Error("stopped") // an answer that was asked for early is not stopped by its signal
        rows.push(...rowsOf(answer))
        token = answer.next_page_token
        onPage?.({ rows: rows.slice(), total: answer.total, advice: answer.advice, asked })
        if (onPage && token !== null && rows.length === firstPage) await pause(signal)
    } while (token !== null && rows.length < max)
    return { rows, total: answer.total, advice: answer.advice, asked }
}

/** The same for a page: shown from the first answer on, and asked again when `version` changes, without a blank between. */
export function useRuns(key: string | null, question: Question, version: number): { data: RunRows | undefined; error: ApiError | null; isLoading: boolean; asked: number } {
    const [state, setState] = useState<{ key: string | null; data: RunRows | undefined; error: ApiError | null }>({ key: null, data: undefined, error: null })
    const newest = useRef(question)
    newest.current = question
    const asked = useRef(Infinity)
    useEffect(() => {
        if (key === null) return undefined
        const stop = new AbortController()
        let isFirst = true
        asked.current = performance.now()
        fetchRuns(newest.current, found => {
            // What is on screen is not made shorter by its own renewal.
            setState(old => (old.key === key && old.data && isFirst && found.rows.length < old.data.rows.length && found.rows.length < found.total ? old : { key, data: found, error: null }))
            isFirst = false
        }, stop.signal).catch((error: unknown) => {
            if (!stop.signal.aborted) setState({ key, data: undefined, error: error instanceof ApiError ? error : null })
        })
        return () => stop.abort()
    }, [key, version])
    const isOwn = state.key === key
    return { data: state.data, error: isOwn ? state.error : null, isLoading: key !== null && !isOwn, asked: asked.current }
}

function rowsOf(answer: RunTableAnswer): RunRow[] {
    const { columns } = answer
    const pick = <From, To>(table: Record<string, From[]>, index: number, change: (value: From) => To): Record<string, To> => {
        const made: Record<string, To> = {}
        for (const key in table) made[key] = change(table[key]![index]!)
        return made
    }
    return columns.id.map((id, index) => ({
        id,
        shortID: columns.short_id[index]!,
        number: numberOfShortID(columns.short_id[index]!),
        name: columns.name[index]!,
        state: columns.state[index]!,
        status: columns.status[index]!,
        start: columns.start_ms[index]!,
        end: columns.end_ms[index]!,
        user: columns.user[index]!,
        experiment: columns.experiment_id[index]!,
        params: pick(answer.params, index, value => value),
        metrics: pick(answer.metrics, index, value => numberOf(value)),
        tags: pick(answer.tags, index, value => value),
    }))
}

const seedNames = /(^|[._\/-])(seed|random_seed|random_state|fold|cv_fold|rank|local_rank|replica|trial_seed)$/i

export function isSeedName(name: string): boolean {
    return seedNames.test(name)
}

/** Params with more than one value, in the order in which runs logged them. */
export function differing(rows: RunRow[]): string[] {
    const seen = new Map<string, Set<string>>()
    for (const row of rows) {
        for (const key in row.params) {
            const values = seen.get(key) ?? new Set()
            if (values.size < 2) values.add(JSON.stringify(row.params[key] ?? null))
            seen.set(key, values)
        }
    }
    // Words first: `resnet34 · cosine · lr 0.4` is read faster than a row of numbers.
    const isWord = (key: string): boolean => rows.some(row => typeof row.params[key] === "string" && Number.isNaN(Number(row.params[key])))
    return Array.from(seen).filter(([, values]) => values.size > 1).map(([key]) => ({ key, isSeed: isSeedName(key), isWord: isWord(key) }))
        .sort((a, b) => Number(a.isSeed) - Number(b.isSeed) || Number(b.isWord) - Number(a.isWord)).map(one => one.key)
}

/** What tells a run from the others: `lr 0.1 · cosine`. */
export function labelOf(row: RunRow, keys: string[], max = 3, isShort = false): string {
    const words: string[] = []
    for (const key of keys) {
        const value = row.params[key]
        if (value === null || value === undefined || words.length >= max) continue
        const short = key.split(/[.\/]/).pop() ?? key
        const saysItself = (typeof value === "string" && Number.isNaN(Number(value))) || (isShort && short.length > 3)
        words.push(saysItself ? formatValue(value) : `${short} ${formatValue(value)}`)
    }
    return words.join(" · ")
}

export interface Group {
    key: string
    label: string
    /** Where room is scarce: long names of params left out. */
    short: string
    number: number
    members: RunRow[]
}

/** Runs that agree in all params but seeds, in the order of the newest member. */
export function groupRuns(rows: RunRow[], by: string[]): Group[] {
    const groups = new Map<string, RunRow[]>()
    for (const row of rows) {
        const key = JSON.stringify(by.map(name => row.params[name] ?? null))
        const known = groups.get(key)
        if (known) known.push(row)
        else groups.set(key, [row])
    }
    // Numbered by their oldest member, so that a new group takes no other's colour.
    const byAge = Array.from(groups).sort((a, b) => Math.min(...a[1].map(row => row.number)) - Math.min(...b[1].map(row => row.number)))
    const numbers = new Map(byAge.map(([key], index) => [key, index]))
    return Array.from(groups, ([key, members]) => ({
        key, members, label: labelOf(members[0]!, by, 4) || "all runs", short: labelOf(members[0]!, by, 5, true) || "all runs", number: numbers.get(key)!,
    }))
}

/** The params to group by, where grouping over seeds makes sense; null where it does not. */
export function seedGrouping(rows: RunRow[], different: string[]): string[] | null {
    if (!different.some(isSeedName)) return null
    const by = different.filter(name => !isSeedName(name))
    return groupRuns(rows, by).some(group => group.members.length > 1) ? by : null
}
