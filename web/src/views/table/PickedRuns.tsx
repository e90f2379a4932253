// What differs between the picked runs, beside the table: two ticks answer it. All of a comparison has a page of its own.
import { useEffect, useMemo, useState } from "react"
import { useKnownMeanings } from "../../api/meanings"
import { useResource } from "../../api/resource"
import { Link } from "../../app/router"
import { formatCount, plural } from "../../ui/format"
import { Failure, Icon, Skeleton } from "../../ui/parts"
import { type ComparedRun, SideBySide, numbersOf } from "../comparison/SideBySide"
import { type RunRow, fetchRuns } from "../runs"

/** More columns than these are read on the page of the comparison. */
const besideMax = 5

export function compareAddress(picked: Set<string>): string {
    return `/compare?runs=${Array.from(picked).join(",")}`
}

function comparedOf(row: RunRow): ComparedRun {
    return {
        id: row.id, short_id: row.shortID, name: row.name, experiment_name: "", state: row.state,
        duration_seconds: row.end === null ? null : (row.end - row.start) / 1000, params: row.params as ComparedRun["params"], metrics: row.metrics as ComparedRun["metrics"],
    }
}

export function PickedRuns({ experiment, rows, picked, theme }: { experiment: string; rows: RunRow[]; picked: Set<string>; theme: string }): JSX.Element | null {
    const [closed, setClosed] = useState("")
    const ids = useMemo(() => (picked.size > 1 && picked.size <= besideMax ? Array.from(picked) : []), [picked])
    const key = ids.join(",")
    // The table holds the columns that it shows; what differs may be in another one.
    const news = ids.length > 0 ? rows.filter(row => picked.has(row.id)) : []
    const found = useResource(key && closed !== key ? `experiment/${experiment}/picked|${key}` : null, () => fetchRuns({
        experiment_id: [experiment], filter: `id IN (${ids.map(id => `'${id}'`).join(", ")})`, metrics: ["*"], params: ["*"], max: ids.length,
    }))
    const newsKey = news.map(row => JSON.stringify(row.metrics)).join()
    useEffect(() => {
        if (found.data) found.reload()
        // Their rows show other values: they have logged since.
        // eslint-disable-next-line
    }, [newsKey])
    const runs = useMemo(() => ids.flatMap(id => found.data?.rows.find(row => row.id === id) ?? []).map(comparedOf), [found.data, ids])
    const metrics = useMemo(() => {
        const names = Array.from(new Set(runs.flatMap(run => Object.keys(run.metrics)))).filter(name => !name.startsWith("system/"))
        return names.filter(name => new Set(runs.map(run => run.metrics[name] ?? null)).size > 1)
    }, [runs])
    const params = useMemo(() => {
        const names = Array.from(new Set(runs.flatMap(run => Object.keys(run.params))))
        return names.filter(name => new Set(runs.map(run => JSON.stringify(run.params[name] ?? null))).size > 1).length
    }, [runs])
    const meanings = useKnownMeanings(experiment, metrics)
    if (ids.length === 0 || closed === key) return null
    return (
        <aside className="picked" aria-label="What differs" onKeyDown={event => event.key === "Escape" && setClosed(key)}>
            <div className="picked-head">
                <h2>What differs</h2><span className="muted num" role="status">{found.data && `${plural(params, "param")}, ${plural(metrics.length, "metric")}`}</span><span className="grow" />
                <Link className="text" to={compareAddress(picked)}>Curves and more</Link>
                <button className="button quiet icon" aria-label="Close what differs" title="Close" onClick={() => setClosed(key)}><Icon name="close" /></button>
            </div>
            {found.error ? <Failure error={found.error} again={found.reload} /> : runs.length < 2 ? (found.data ? <p className="muted picked-none">{formatCount(runs.length)} of these runs is left.</p> : <Skeleton rows={6} />)
                : <SideBySide runs={runs} numbers={numbersOf(runs)} metrics={metrics} meaningOf={name => meanings?.get(name)} theme={theme} isBrief />}
        </aside>
    )
}
