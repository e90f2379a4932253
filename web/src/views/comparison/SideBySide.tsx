// Runs in columns: the params that differ, and what each metric came to, the best of them marked.
import { useMemo, useState } from "react"
import type { Meaning } from "../../api/meanings"
import { type Run, numberOf } from "../../api/types"
import { Link } from "../../app/router"
import { numberOfShortID, strokeOf } from "../../charts/palette"
import { exactNumber, formatDuration, formatNumber, formatValue, plural } from "../../ui/format"
import { StateWord } from "../../ui/parts"
import { bestOf } from "./best"

/** What a comparison needs of a run, live or as it was kept. */
export type ComparedRun = Pick<Run, "id" | "short_id" | "name" | "experiment_name" | "state" | "duration_seconds" | "params" | "metrics">

/** What gives each run its colour. Two runs of different experiments may have one number: places tell them apart then. */
export function numbersOf(runs: ComparedRun[]): number[] {
    const own = runs.map(run => numberOfShortID(run.short_id))
    return new Set(own.map(one => one % 10)).size === own.length ? own : own.map((_, index) => index)
}

export function SideBySide({ runs, numbers, metrics, meaningOf, theme, isBrief = false }: { runs: ComparedRun[]; numbers: number[]; metrics: string[]; meaningOf: (metric: string) => Meaning | undefined; theme: string; isBrief?: boolean }): JSX.Element {
    const [isAll, setAll] = useState(false)
    const params = useMemo(() => {
        const keys = Array.from(new Set(runs.flatMap(run => Object.keys(run.params))))
        return keys.map(key => ({ key, values: runs.map(run => run.params[key]) })).map(row => ({ ...row, differs: new Set(row.values.map(value => JSON.stringify(value))).size > 1 }))
    }, [runs])
    const same = params.filter(row => !row.differs).length
    return (
        <div className={isBrief ? undefined : "card"} style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label="Side by side">
            <table className="plain diff">
                <thead><tr><th style={{ minWidth: isBrief ? 110 : 160 }}><span className="hidden">Name</span></th>{runs.map((run, index) => <th key={run.id} className="r" style={{ minWidth: isBrief ? 96 : 130 }}><i style={{ display: "inline-block", width: 9, height: 9, borderRadius: 3, marginRight: 6, background: strokeOf(numbers[index]!, theme).colour }} /><Link to={`/runs/${run.id}`} style={{ color: "var(--fg)" }}>{run.name}</Link></th>)}</tr></thead>
                <tbody>
                    {!isBrief && <tr><td className="muted">experiment</td>{runs.map(run => <td key={run.id} className="r">{run.experiment_name}</td>)}</tr>}
                    <tr><td className="muted">state</td>{runs.map(run => <td key={run.id} className="r"><StateWord state={run.state} /></td>)}</tr>
                    <tr><td className="muted">duration</td>{runs.map(run => <td key={run.id} className="r">{formatDuration(run.duration_seconds)}</td>)}</tr>
                    {params.filter(row => isAll || row.differs).map(row => <tr key={row.key}><td>{row.key}</td>{row.values.map((value, index) => <td key={index} className={`r mono${row.differs ? "" : " same"}`}>{value === undefined ? "–" : formatValue(value)}</td>)}</tr>)}
                    {same > 0 && <tr><td colSpan={runs.length + 1} className="muted"><button className="plain-link" style={{ fontWeight: 450 }} onClick={() => setAll(!isAll)}>{isAll ? "Only params that differ" : `${plural(same, "param")} the same`}</button></td></tr>}
                    {metrics.map(name => {
                        const values = runs.map(run => numberOf(run.metrics[name]))
                        const meaning = meaningOf(name)
                        const best = bestOf(values, meaning)
                        const base = values[0]
                        return <tr key={name}><td>{name} {meaning && <Direction meaning={meaning} />}</td>{values.map((value, index) => (
                            <td key={index} className={`r${value !== null && value === best ? ` best${meaning?.isGuessed ? " guessed" : ""}` : ""}`} title={exactNumber(value)}>{formatNumber(value)}{index > 0 && value !== null && base != null && Number.isFinite(value - base) && value !== base && <span className="muted" style={{ fontWeight: 400 }}> ({value > base ? "+" : ""}{formatNumber(value - base, 2)})</span>}</td>
                        ))}</tr>
                    })}
                </tbody>
            </table>
        </div>
    )
}

export function Direction({ meaning: { goal, isGuessed } }: { meaning: Meaning }): JSX.Element {
    const words = `${goal === "min" ? "Less" : "More"} is better${isGuessed ? ", guessed from the name" : ""}`
    return <span className="muted" title={words}><span aria-hidden="true">{goal === "min" ? "↓" : "↑"}{isGuessed && "?"}</span><span className="hidden">{words}</span></span>
}
