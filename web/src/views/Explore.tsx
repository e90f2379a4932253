// Settings against results: parallel coordinates, whose brushes choose the runs of the statistical charts below them.
import "../core"
import { Suspense, lazy, useCallback, useMemo, useState } from "react"
import { get, part } from "../api/client"
import { useMeanings } from "../api/meanings"
import { useResource } from "../api/resource"
import type { LoggedNames } from "../api/types"
import { Link, setQuery, useAddress } from "../app/router"
import { ExperimentFrame } from "../app/Shell"
import { useTheme } from "../app/theme"
import { Parallel } from "../charts/Parallel"
import { formatCount, formatNumber, formatValue } from "../ui/format"
import { Empty, Failure, Skeleton } from "../ui/parts"
import { type RunRow, differing, fetchRuns, isSeedName, labelOf } from "./runs"
import { type Study, numericParams } from "./statistics/fields"

const Statistics = lazy(() => import("./statistics/Statistics"))
const metricsMax = 200
const runsMax = 5000

export default function Explore({ id }: { id: string }): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const names = useResource(`experiment/${id}/names`, () => get<LoggedNames>(`experiments/${part(id)}/names`))
    const metrics = names.data?.metrics.filter(name => !name.startsWith("system/")) ?? []
    const metric = query.get("metric") ?? ["val/accuracy", "val_accuracy", "accuracy", "val/loss", "val_loss", "loss"].find(name => metrics.includes(name)) ?? metrics[0] ?? ""
    const found = useResource(names.data ? `experiment/${id}/runs/explore|${query.get("q") ?? ""}` : null, () => fetchRuns({ experiment_id: [id], filter: query.get("q") ?? "", metrics: metrics.slice(0, metricsMax), params: ["*"], max: runsMax }))
    const rows = found.data?.rows ?? []
    const different = useMemo(() => differing(rows), [found.data])
    const settings = useMemo(() => (query.get("axes")?.split(",") ?? different.filter(name => !isSeedName(name)).slice(0, 7)), [different, query])
    const [picked, setPicked] = useState<number[] | null>(null)
    const onPick = useCallback((indices: number[] | null) => setPicked(indices), [])
    const valueOf = (row: RunRow, name: string): number | string | null => {
        const value = row.params[name]
        if (value === null || value === undefined) return null
        return typeof value === "number" ? value : formatValue(value)
    }
    // Words begin at the left, numbers end at the right.
    const sideOf = (name: string): string | undefined => (rows.some(row => typeof row.params[name] === "string") ? undefined : "r")
    const dimensions = useMemo(
        () => [...settings.map(name => ({ name, values: rows.map(row => valueOf(row, name)) })), { name: metric, values: rows.map(row => row.metrics[metric] ?? null) }],
        [found.data, settings, metric])
    const shown = useMemo(() => (picked ? picked.map(index => rows[index]!).filter(Boolean) : rows), [found.data, picked])
    const goalOf = useMeanings(id, metrics.slice(0, metricsMax))
    const meaning = goalOf(metric)
    const clips = query.get("full") !== "1"
    const study: Study = useMemo(() => ({
        experiment: id, rows: shown, metric, theme, clips, different, params: numericParams(rows, different),
        metrics: metrics.slice(0, metricsMax).map(name => ({ id: `metrics.${name}`, name })), goalOf, labelOf: row => labelOf(row, different, 3),
    }), [id, shown, metric, theme, clips, different, names.data, goalOf])
    const sign = meaning.goal === "min" ? 1 : -1
    const listed = useMemo(
        () => shown.filter(row => Number.isFinite(row.metrics[metric] ?? NaN)).sort((a, b) => sign * ((a.metrics[metric] ?? 0) - (b.metrics[metric] ?? 0))),
        [shown, metric, sign])
    return (
        <ExperimentFrame id={id} tab="explore">
            <main className="page" id="main" style={{ maxWidth: 1500 }}>
                <div className="head"><div className="grow"><h1>Settings and results</h1><p className="lead">A line for each run, coloured by the result. Drag along an axis to keep the runs in that part; double click clears it.{found.data && found.data.total > rows.length && <> The newest {formatCount(rows.length)} of {formatCount(found.data.total)} runs.</>}</p></div>
                    {metric && <><button className="button" aria-pressed={!clips} title="Show runs that lie far outside in their place" onClick={() => setQuery({ full: clips ? "1" : null })}>Full range</button>
                    <label className="label">Result <select className="select" value={metric} onChange={event => setQuery({ metric: event.target.value })}>{metrics.map(name => <option key={name}>{name}</option>)}</select></label></>}</div>
                {names.error || found.error ? <Failure error={(names.error ?? found.error)!} /> : !found.data ? <Skeleton rows={10} /> : rows.length === 0 || !metric ? (query.get("q") ? <Empty title="No run fits this filter"><button className="plain-link text" onClick={() => setQuery({ q: null })}>Show all runs</button></Empty> : <Empty title="Nothing to compare yet">Runs with params and metrics appear here.</Empty>) : (
                    <>
                        <section className="card" style={{ padding: 12 }} aria-label="Parallel coordinates">
                            {different.length === 0 ? <Empty title="All runs have the same settings" /> : <Parallel dimensions={dimensions} count={rows.length} theme={theme} height={330} onPick={onPick} />}
                            <div className="tools" style={{ position: "static", background: "none", paddingBottom: 0 }}>{different.slice(0, 20).map(name => (
                                <button key={name} className="button" aria-pressed={settings.includes(name)} onClick={() => setQuery({ axes: (settings.includes(name) ? settings.filter(one => one !== name) : [...settings, name]).join(",") })}>{name}</button>
                            ))}</div>
                        </section>
                        <Suspense fallback={<Skeleton rows={10} />}>
                            <Statistics study={study}>
                                <section className="card stat" aria-label="Runs by result">
                                    <div className="stat-head"><h2 className="cut grow">Runs by result</h2><span className="muted" title={meaning.isGuessed ? "Guessed from its name; say it with a metric definition" : "As the experiment defines it"}>{meaning.goal === "min" ? "least" : "greatest"} {metric} first{meaning.isGuessed && ", a guess"}</span></div>
                                    <div style={{ overflow: "auto", height: 300 }} tabIndex={0} role="group" aria-label="Runs, best first">
                                        <table className="plain"><thead><tr><th>Run</th>{settings.slice(0, 4).map(name => <th key={name} className={sideOf(name)}>{name}</th>)}<th className="r">{metric}</th></tr></thead>
                                            <tbody>{listed.slice(0, 100).map(row => <tr key={row.id}><td><Link to={`/runs/${row.id}`}>{row.name}</Link></td>{settings.slice(0, 4).map(name => <td key={name} className={sideOf(name)}>{formatValue(row.params[name])}</td>)}<td className="r"><b>{formatNumber(row.metrics[metric])}</b></td></tr>)}</tbody></table>
                                    </div>
                                    <p className="stat-foot">{picked ? `${formatCount(shown.length)} of ${formatCount(rows.length)} runs in the brushes` : `${formatCount(listed.length)} of ${formatCount(rows.length)} runs have a number here`}{listed.length > 100 && ", 100 shown"}</p>
                                </section>
                            </Statistics>
                        </Suspense>
                    </>
                )}
            </main>
        </ExperimentFrame>
    )
}
