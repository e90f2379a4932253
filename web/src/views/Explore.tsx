// Settings against results: parallel coordinates, and two of them against each other.
import { useCallback, useMemo, useState } from "react"
import { get, part } from "../api/client"
import { useResource } from "../api/resource"
import type { LoggedNames } from "../api/types"
import { Link, navigate, setQuery, useAddress } from "../app/router"
import { ExperimentFrame } from "../app/Shell"
import { useTheme } from "../app/theme"
import { Parallel, Scatter, ranksOf, shade } from "../charts/Parallel"
import { formatCount, formatNumber, formatValue } from "../ui/format"
import { Empty, Failure, Skeleton } from "../ui/parts"
import { type RunRow, differing, fetchRuns, isSeedName, labelOf } from "./runs"

export default function Explore({ id }: { id: string }): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const names = useResource(`experiment/${id}/names`, () => get<LoggedNames>(`experiments/${part(id)}/names`))
    const metrics = names.data?.metrics.filter(name => !name.startsWith("system/")) ?? []
    const metric = query.get("metric") ?? ["val/accuracy", "val_accuracy", "accuracy", "val/loss", "val_loss", "loss"].find(name => metrics.includes(name)) ?? metrics[0] ?? ""
    const found = useResource(names.data ? `experiment/${id}/runs/explore|${query.get("q") ?? ""}` : null, () => fetchRuns({ experiment_id: [id], filter: query.get("q") ?? "", metrics: metrics.slice(0, 200), params: ["*"], max: 5000 }))
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
    const dimensions = useMemo(
        () => [...settings.map(name => ({ name, values: rows.map(row => valueOf(row, name)) })), { name: metric, values: rows.map(row => row.metrics[metric] ?? null) }],
        [found.data, settings, metric])
    const x = query.get("x") ?? settings.find(name => rows.some(row => typeof row.params[name] === "number")) ?? settings[0] ?? ""
    const numberOf = (row: RunRow, name: string): number => {
        const value = row.metrics[name] ?? row.params[name]
        return typeof value === "number" ? value : NaN
    }
    const shown = picked ? picked.map(index => rows[index]!).filter(Boolean) : rows
    const ranks = useMemo(() => {
        const all = ranksOf(rows.map(row => { const value = row.metrics[metric]; return value != null && Number.isFinite(value) ? value : NaN }))
        return new Map(rows.map((row, index) => [row.id, all[index]!]))
    }, [found.data, metric])
    const best = [...shown].filter(row => Number.isFinite(row.metrics[metric] ?? NaN)).sort((a, b) => (b.metrics[metric] ?? 0) - (a.metrics[metric] ?? 0))
    const listed = /loss|error|perplexity|rmse|mae|mse/i.test(metric) ? best.reverse() : best
    return (
        <ExperimentFrame id={id} tab="explore">
            <main className="page" id="main" style={{ maxWidth: 1500 }}>
                <div className="head"><div className="grow"><h1>Settings and results</h1><p className="lead">A line for each run, coloured by the result. Drag along an axis to keep the runs in that part; double click clears it.</p></div>
                    <label className="label">Result <select className="select" value={metric} onChange={event => setQuery({ metric: event.target.value })}>{metrics.map(name => <option key={name}>{name}</option>)}</select></label></div>
                {names.error || found.error ? <Failure error={(names.error ?? found.error)!} /> : !found.data ? <Skeleton rows={10} /> : rows.length === 0 || !metric ? <Empty title="Nothing to compare yet">Runs with params and metrics appear here.</Empty> : (
                    <>
                        <section className="card" style={{ padding: 12 }} aria-label="Parallel coordinates">
                            {different.length === 0 ? <Empty title="All runs have the same settings" /> : <Parallel dimensions={dimensions} count={rows.length} theme={theme} height={330} onPick={onPick} />}
                            <div className="tools" style={{ position: "static", background: "none", paddingBottom: 0 }}>{different.slice(0, 20).map(name => (
                                <button key={name} className="button" aria-pressed={settings.includes(name)} onClick={() => setQuery({ axes: (settings.includes(name) ? settings.filter(one => one !== name) : [...settings, name]).join(",") })}>{name}</button>
                            ))}</div>
                        </section>
                        <div className="two" style={{ marginTop: 16 }}>
                            <section className="card" style={{ padding: 12 }} aria-label="Scatter">
                                <div className="tools" style={{ position: "static", background: "none", paddingTop: 0 }}><label className="label">{metric} over <select className="select" value={x} onChange={event => setQuery({ x: event.target.value })}><optgroup label="Params">{different.map(name => <option key={name}>{name}</option>)}</optgroup><optgroup label="Metrics">{metrics.map(name => <option key={name}>{name}</option>)}</optgroup></select></label></div>
                                <Scatter theme={theme} height={300} xName={x} yName={metric} onOpen={run => navigate(`/runs/${run}`)}
                                    dots={shown.map(row => ({ key: row.id, x: numberOf(row, x), y: numberOf(row, metric), colour: shade(ranks.get(row.id) ?? 0, theme), label: `${row.name} · ${labelOf(row, different, 3)}`, size: rows.length > 500 ? 3 : 5 }))} />
                            </section>
                            <section className="card" style={{ overflow: "auto", maxHeight: 380 }} tabIndex={0} aria-label="Runs by result">
                                <table className="plain"><thead><tr><th>{picked ? `${formatCount(shown.length)} of ${formatCount(rows.length)} runs` : "Run"}</th>{settings.slice(0, 4).map(name => <th key={name} className="r">{name}</th>)}<th className="r">{metric}</th></tr></thead>
                                    <tbody>{listed.slice(0, 100).map(row => <tr key={row.id}><td><Link to={`/runs/${row.id}`}>{row.name}</Link></td>{settings.slice(0, 4).map(name => <td key={name} className="r">{formatValue(row.params[name])}</td>)}<td className="r"><b>{formatNumber(row.metrics[metric])}</b></td></tr>)}</tbody></table>
                            </section>
                        </div>
                    </>
                )}
            </main>
        </ExperimentFrame>
    )
}
