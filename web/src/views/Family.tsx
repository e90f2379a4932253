// The runs that a run holds, and the one that it lies in.
import { get, part } from "../api/client"
import { useResource } from "../api/resource"
import { type Run, numberOf } from "../api/types"
import { Link } from "../app/router"
import { formatAgo, formatDuration, formatNumber, fullTime } from "../ui/format"
import { StateWord } from "../ui/parts"

const shownMax = 200
const metricsMax = 3

export function ParentLink({ id }: { id: string }): JSX.Element {
    const found = useResource(`parent/${id}`, () => get<Run>(`runs/${part(id)}`))
    return <span>within <Link className="text" to={`/runs/${part(id)}`}>{found.data?.name ?? id.slice(0, 8)}</Link></span>
}

export function Children({ run }: { run: Run }): JSX.Element | null {
    const found = useResource(`run/${run.id}/children`, () => get<{ runs: Run[]; next_page_token: string | null }>(`runs/${part(run.id)}/children?limit=${shownMax}`))
    const runs = found.data?.runs ?? []
    if (runs.length === 0) return null
    const metrics = Array.from(new Set(runs.flatMap(one => Object.keys(one.metrics)))).filter(name => !name.startsWith("system/")).slice(0, metricsMax)
    return (
        <section aria-label="Runs within">
            <div className="section-title"><h2>Runs within</h2><span className="muted num">{runs.length}{found.data?.next_page_token ? ", and more" : ""}</span><span className="grow" />
                {runs.length > 1 && <Link className="button" to={`/compare?runs=${runs.slice(0, 50).map(one => one.id).join(",")}`}>Compare {runs.length > 50 && "the first 50"}</Link>}</div>
            <div className="card" style={{ overflow: "auto", maxHeight: 420 }} tabIndex={0} role="region" aria-label="Table of the runs within">
                <table className="plain">
                    <thead><tr><th>Run</th><th>State</th>{metrics.map(name => <th key={name} className="r">{name}</th>)}<th className="r">Duration</th><th className="r">Started</th></tr></thead>
                    <tbody>{runs.map(one => (
                        <tr key={one.id}><td><Link to={`/runs/${one.id}`} style={{ fontWeight: 550 }}>{one.name}</Link>{one.name !== one.short_id && <span className="muted"> {one.short_id}</span>}</td><td><StateWord state={one.state} status={one.status} /></td>
                            {metrics.map(name => <td key={name} className="r">{formatNumber(numberOf(one.metrics[name]))}</td>)}
                            <td className="r">{formatDuration(one.duration_seconds ?? (Date.now() - Date.parse(one.start_time)) / 1000)}</td><td className="r muted" title={fullTime(one.start_time)}>{formatAgo(one.start_time)}</td></tr>
                    ))}</tbody>
                </table>
            </div>
        </section>
    )
}
