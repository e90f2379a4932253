// Rows that follow what their runs log. A point on the stream says that a run has news, and not what its row shows now: a
// late point is not the last one. So the rows in question are asked for again.
import { useEffect, useMemo, useRef, useState } from "react"
import type { Change } from "../api/live"
import { type Question, type RunRow, type RunRows, fetchRuns } from "./runs"

const everyMilliseconds = 1000
const atOnce = 200
const none = { rows: [] as RunRow[], asked: 0 }

/** Rows with what was logged since they were asked for, and what is to hear of the changes. */
export function useRenewed(found: RunRows | undefined, question: Question): [RunRow[], (changes: Change[]) => void] {
    const { rows, asked } = found ?? none
    const [fresh, setFresh] = useState<Map<string, { row: RunRow; at: number }>>(() => new Map())
    const newest = useRef({ rows, question })
    newest.current = { rows, question }
    const waiting = useRef(new Set<string>())
    const timer = useRef(0)
    useEffect(() => () => window.clearTimeout(timer.current), [])

    const wait = (): void => {
        if (!timer.current && waiting.current.size > 0) timer.current = window.setTimeout(ask, everyMilliseconds)
    }
    const ask = (): void => {
        const shown = new Set(newest.current.rows.map(row => row.id))
        const ids = Array.from(waiting.current).filter(id => shown.has(id)).slice(0, atOnce)
        if (ids.length < atOnce) waiting.current.clear()
        else ids.forEach(id => waiting.current.delete(id))
        const at = performance.now()
        const done = (): void => {
            timer.current = 0
            wait()
        }
        if (ids.length === 0) return done()
        const about = { ...newest.current.question, filter: `id IN (${ids.map(id => `'${id}'`).join(", ")})`, order_by: [], max: ids.length }
        fetchRuns(about).then(found => {
            if (newest.current.question.metrics.join() !== about.metrics.join()) return
            setFresh(old => {
                const next = new Map(old)
                for (const row of found.rows) next.set(row.id, { row, at })
                return next
            })
        }, () => undefined).then(done)
    }
    const hear = (changes: Change[]): void => {
        for (const change of changes) if (change.metrics && change.run_id) waiting.current.add(change.run_id)
        wait()
    }
    const renewed = useMemo(() => {
        if (fresh.size === 0) return rows
        return rows.map(row => {
            const news = fresh.get(row.id)
            return news && news.at > asked ? news.row : row
        })
    }, [rows, fresh, asked])
    return [renewed, hear]
}
