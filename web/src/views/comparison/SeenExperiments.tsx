// Experiments beside one another as they were kept: how each metric spread over their runs, and the runs themselves.
import { useMemo, useState } from "react"
import { type WireNumber, numberOf } from "../../api/types"
import { Link } from "../../app/router"
import { useTheme } from "../../app/theme"
import { Parallel } from "../../charts/Parallel"
import { exactNumber, formatCount, formatNumber, formatValue, plural } from "../../ui/format"
import { isSeedName } from "../runs"
import { Direction } from "./SideBySide"
import { bestOf } from "./best"
import type { SeenComparison, SeenExperiment, Spread } from "./keeping"

const axesMax = 6
const rowsMax = 200

export function SeenExperiments({ seen, experiments }: { seen: SeenComparison; experiments: SeenExperiment[] }): JSX.Element {
    const { metrics } = seen.data
    return (
        <>
            <div className="card" style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label="Side by side">
                <table className="plain diff">
                    <thead><tr><th style={{ minWidth: 160 }}><span className="hidden">Metric</span></th>{experiments.map(one => <th key={one.id} className="r" style={{ minWidth: 170 }}><Link to={`/experiments/${one.id}`} style={{ color: "var(--fg)" }}>{one.name}</Link></th>)}</tr></thead>
                    <tbody>
                        <tr><td className="muted">runs</td>{experiments.map(one => <td key={one.id} className="r">{formatCount(one.run_count)}{one.runs_looked_at < one.run_count && <span className="muted"> ({formatCount(one.runs_looked_at)} counted)</span>}</td>)}</tr>
                        {metrics.map(({ metric, goal, goal_guessed: isGuessed }) => {
                            const meaning = goal ? { goal, isGuessed } : undefined
                            const values = experiments.map(one => numberOf(one.metrics[metric]?.best?.value))
                            const best = bestOf(values, meaning)
                            return <tr key={metric}><td>{metric} {meaning && <Direction meaning={meaning} />}</td>{experiments.map((one, index) => <td key={one.id} className={`r${values[index] !== null && values[index] === best ? ` best${isGuessed ? " guessed" : ""}` : ""}`}><Cell spread={one.metrics[metric]} /></td>)}</tr>
                        })}
                    </tbody>
                </table>
            </div>
            {metrics.length === 0 ? <p className="stat-foot">No metric had been logged in them.</p> : <p className="stat-foot">Best run, then mean ± standard deviation over the runs that did not go wrong. {seen.results.best && seen.results.best.runs.length > 1 ? "The best tie." : ""} No test of significance is made yet.</p>}
            {seen.visualization === "parallel_coordinates" && <Coordinates seen={seen} experiments={experiments} />}
        </>
    )
}

function Cell({ spread }: { spread: Spread | undefined }): JSX.Element {
    if (!spread?.count) return <span className="muted">–</span>
    const number = (value: WireNumber | null): string => formatNumber(numberOf(value))
    return (
        <>
            {spread.best && <Link to={`/runs/${spread.best.run_id}`} title={`${spread.best.run_name}: ${exactNumber(numberOf(spread.best.value))}`}>{number(spread.best.value)}</Link>}
            <div className="muted" style={{ fontWeight: 400 }}>{number(spread.mean)}{spread.deviation !== null && ` ± ${formatNumber(numberOf(spread.deviation), 2)}`} · n {spread.count}{spread.not_finite > 0 && `, ${spread.not_finite} NaN or ∞`}</div>
        </>
    )
}

/** Words begin at the left, numbers end at the right. */
const sideOf = (values: (number | string | null)[]): string | undefined => (values.some(value => typeof value === "string") ? undefined : "r")

function Coordinates({ seen, experiments }: { seen: SeenComparison; experiments: SeenExperiment[] }): JSX.Element | null {
    const theme = useTheme()
    const { runs, metrics } = seen.data
    const [picked, setPicked] = useState<number[] | null>(null)
    const names = useMemo(() => new Map(experiments.map(one => [one.id, one.name])), [experiments])
    // Those first that most runs have: a line ends where its run has none.
    const params = useMemo(() => {
        const counts = new Map<string, number>()
        for (const run of runs) for (const name of Object.keys(run.params)) if (!isSeedName(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
        return Array.from(counts).sort((a, b) => b[1] - a[1]).slice(0, axesMax).map(([name]) => name)
    }, [runs])
    const metric = metrics[0]?.metric
    const dimensions = useMemo(() => [
        { name: "experiment", values: runs.map(run => names.get(run.experiment_id) ?? run.experiment_id) },
        ...params.map(name => ({ name, values: runs.map(run => { const value = run.params[name]; return value === undefined || value === null ? null : typeof value === "number" ? value : formatValue(value) }) })),
        ...metrics.slice(1, 3).reverse().map(one => ({ name: one.metric, values: runs.map(run => numberOf(run.metrics[one.metric])) })),
        ...(metric ? [{ name: metric, values: runs.map(run => numberOf(run.metrics[metric])) }] : []),
    ], [runs, params, names, metrics, metric])
    if (!metric || runs.length === 0) return null
    const shown = (picked ?? runs.map((_, index) => index)).slice(0, rowsMax)
    return (
        <>
            <div className="section-title"><h2>{plural(runs.length, "run")}, coloured by {metric}</h2></div>
            <section className="card" style={{ padding: 12 }} aria-label="Parallel coordinates"><Parallel dimensions={dimensions} count={runs.length} theme={theme} height={330} onPick={setPicked} /></section>
            <div className="card" style={{ overflow: "auto", maxHeight: 420, marginTop: 14 }} tabIndex={0} role="region" aria-label="Runs">
                <table className="plain">
                    <thead><tr><th>Run</th>{dimensions.map(one => <th key={one.name} className={sideOf(one.values)}>{one.name}</th>)}</tr></thead>
                    <tbody>{shown.map(index => <tr key={runs[index]!.id}><td><Link to={`/runs/${runs[index]!.id}`}>{runs[index]!.name}</Link></td>{dimensions.map(one => { const value = one.values[index]!; return <td key={one.name} className={sideOf(one.values)}>{value === null ? "–" : typeof value === "number" ? formatNumber(value) : value}</td> })}</tr>)}</tbody>
                </table>
            </div>
            {(picked?.length ?? runs.length) > shown.length && <p className="stat-foot">The first {shown.length}.</p>}
        </>
    )
}
