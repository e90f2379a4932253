// The newest runs over all experiments: one's own, somebody's, everybody's.
import "../core"
import { useMemo } from "react"
import { all, get } from "../api/client"
import { useChanges } from "../api/live"
import { invalidate, useResource } from "../api/resource"
import type { Experiment, Me } from "../api/types"
import { Link, setQuery, useAddress } from "../app/router"
import { Frame } from "../app/Shell"
import { keep, kept } from "../app/theme"
import { formatAgo, formatCount, formatDuration, fullTime, plural } from "../ui/format"
import { Empty, Failure, Skeleton, StateWord } from "../ui/parts"
import { FilterField } from "./FilterField"
import { fetchRuns } from "./runs"

const shownMax = 500
const everybody = "*"

export default function MyRuns(): JSX.Element {
    const { query } = useAddress()
    const me = useResource("me", () => get<Me>("me"))
    // Whoever asks a server without logins has no name there; their runs have the one of their machine.
    const isNamed = me.data !== undefined && me.data.mode !== "open"
    const newest = useResource("all/runs/users", () => fetchRuns({ metrics: [], params: [], max: 1000 }))
    const users = useMemo(() => Array.from(new Set((newest.data?.rows ?? []).flatMap(row => row.user ?? []))).sort(), [newest.data])
    const user = query.get("user") ?? (isNamed ? me.data!.principal : kept("user", everybody))
    const filter = query.get("q") ?? ""
    const own = user === everybody ? "" : `user = '${user.replace(/'/g, "''")}'`
    const whole = own && filter ? `${own} AND (${filter})` : own || filter
    const found = useResource(me.data ? `all/runs|${whole}` : null, () => fetchRuns({ metrics: [], params: [], filter: whole, order_by: ["start_time DESC"], max: shownMax }))
    const experiments = useResource("experiments", () => all<Experiment>("experiments?limit=1000", "experiments"))
    const names = useMemo(() => new Map((experiments.data ?? []).map(one => [one.id, one])), [experiments.data])
    useChanges("", changes => {
        if (changes.some(change => change.event)) invalidate("all/runs")
    }, before => invalidate("all/runs", before))
    const rows = found.data?.rows
    const title = user === everybody ? "All runs" : isNamed && user === me.data!.principal ? "My runs" : `Runs of ${user}`
    const choices = Array.from(new Set([...(isNamed ? [me.data!.principal] : []), ...users, ...(user === everybody ? [] : [user])]))
    return (
        <Frame crumbs={[{ name: "Runs" }]}>
            <main className="page" id="main">
                <div className="head">
                    <div className="grow"><h1>{title}</h1><p className="lead">Newest first, over all experiments.{found.data && found.data.total > found.data.rows.length && ` ${formatCount(found.data.rows.length)} of ${formatCount(found.data.total)}.`}</p></div>
                    <div style={{ width: 300 }}><FilterField filter={filter} error={found.error && found.error.status < 500 ? found.error : null} advice={found.data?.advice ?? []} names={undefined} onFilter={value => setQuery({ q: value || null })} /></div>
                    <label className="label">Of <select className="select" value={user} onChange={event => {
                        if (!isNamed) keep("user", event.target.value)
                        setQuery({ user: event.target.value })
                    }}><option value={everybody}>everybody</option>{choices.map(name => <option key={name} value={name}>{isNamed && name === me.data!.principal ? `me (${name})` : name}</option>)}</select></label>
                </div>
                {me.error ? <Failure error={me.error} /> : found.error && found.error.status >= 500 ? <Failure error={found.error} again={found.reload} />
                    : !rows ? (found.error ? <p className="empty">The filter is not understood yet; what is wrong stands below it.</p> : <Skeleton rows={10} />)
                    : rows.length === 0 ? <Empty title={filter ? "No run fits this filter" : user === everybody ? "No runs yet" : `${user} has no runs here`}>{user !== everybody && <button className="button" onClick={() => setQuery({ user: everybody })}>Show everybody’s</button>}</Empty>
                    : (
                        <div className="card" style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label={title}>
                            <table className="plain even">
                                <thead><tr><th style={{ width: "26%" }}>Run</th><th style={{ width: "26%" }}>Experiment</th><th>State</th><th>User</th><th className="r">Duration</th><th className="r">Started</th></tr></thead>
                                <tbody>{rows.map(row => {
                                    const experiment = names.get(row.experiment)
                                    return (
                                        <tr key={row.id}>
                                            <td className="cut"><Link to={`/runs/${row.id}`} style={{ fontWeight: 550 }}>{row.name}</Link>{row.name !== row.shortID && <span className="muted"> {row.shortID}</span>}</td>
                                            <td className="cut"><Link to={`/experiments/${row.experiment}`}>{experiment?.name ?? row.experiment}</Link> {experiment && <span className="muted">in {experiment.project}</span>}</td>
                                            <td><StateWord state={row.state} status={row.status} /></td>
                                            <td className="cut muted">{row.user ?? "–"}</td>
                                            <td className="r">{formatDuration(((row.end ?? Date.now()) - row.start) / 1000)}</td>
                                            <td className="r muted" title={fullTime(row.start)}>{formatAgo(row.start)}</td>
                                        </tr>
                                    )
                                })}</tbody>
                            </table>
                        </div>
                    )}
                {rows && rows.length > 0 && <p className="stat-foot">{plural(found.data!.total, "run")}</p>}
            </main>
        </Frame>
    )
}
