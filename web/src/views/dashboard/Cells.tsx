// What widgets show that are no statistical charts: curves, the best value, states, text.
import { Suspense, lazy, useMemo, useState } from "react"
import type { RunState } from "../../api/types"
import { Link } from "../../app/router"
import { Panel } from "../../charts/Panel"
import { usePins } from "../../charts/pins"
import type { PanelSettings, Subject } from "../../charts/subjects"
import { exactNumber, formatCount, formatNumber, plural } from "../../ui/format"
import { type RunRow, groupRuns, labelOf, seedGrouping } from "../runs"
import { type Study, footOf } from "../statistics/fields"

const Markdown = lazy(() => import("../../ui/Markdown"))
const linesMax = 10
const plain: PanelSettings = { axis: "step", xMetric: null, smoothing: 0, isLogX: false, isLogY: false, clipsOutliers: true, interval: "ci95", range: null }
const nothing = (): void => undefined

/** The newest runs, or all of them in groups where they differ in seeds alone. */
export function subjectsOf(rows: RunRow[], different: string[]): Subject[] {
    const by = seedGrouping(rows, different)
    if (by) return groupRuns(rows, by).slice(0, linesMax).map(group => ({ key: group.key, label: group.label, number: group.number, runs: group.members.map(row => row.id), isGroup: true }))
    return rows.slice(0, linesMax).map(row => ({ key: row.id, label: [row.name, labelOf(row, different)].filter(Boolean).join(" · "), number: row.number, runs: [row.id], isGroup: false }))
}

export function CurveCell({ study, subjects }: { study: Study; subjects: Subject[] }): JSX.Element {
    const [range, setRange] = useState<[number, number] | null>(null)
    const settings = useMemo(() => ({ ...plain, range }), [range])
    const pinsOf = usePins(subjects)
    return <Panel pins={pinsOf(study.metric)} metric={study.metric} subjects={subjects} settings={settings} theme={study.theme} highlight={null} isStarred={false} onStar={nothing} onRange={setRange} height={240} />
}

export function BestCell({ study }: { study: Study }): JSX.Element {
    const { rows, metric, goalOf } = study
    const { goal, isGuessed } = goalOf(metric)
    const values = rows.map(row => ({ row, value: row.metrics[metric] ?? null }))
    const finite = values.filter((one): one is { row: RunRow; value: number } => one.value !== null && Number.isFinite(one.value))
    const best = [...finite].sort((a, b) => (goal === "min" ? a.value - b.value : b.value - a.value))[0]
    const missing = values.filter(one => one.value === null).length
    return (
        <section className="card stat best-cell" aria-label={`Best ${metric}`}>
            <div className="stat-head"><h2 className="cut grow">{metric}</h2><span className="muted">{goal === "min" ? "least" : "greatest"}{isGuessed && ", a guess"}</span></div>
            {best ? <p className="big num" title={exactNumber(best.value)}>{formatNumber(best.value)}</p> : <p className="big muted">–</p>}
            <p className="stat-foot">{best && <><Link to={`/runs/${best.row.id}`}>{best.row.name}</Link> {study.labelOf(best.row)}<br /></>}{footOf(finite.length, rows.length, missing, rows.length - finite.length - missing)}</p>
        </section>
    )
}

const order: RunState[] = ["running", "queued", "finished", "failed", "lost", "cancelled", "archived"]

export function StatesCell({ rows }: { rows: RunRow[] }): JSX.Element {
    const counts = order.map(state => ({ state, count: rows.filter(row => row.state === state).length })).filter(one => one.count > 0)
    return (
        <section className="card stat" aria-label="Runs by state">
            <div className="stat-head"><h2 className="cut grow">Runs by state</h2></div>
            <div className="state-bar" aria-hidden="true">{counts.map(({ state, count }) => <i key={state} className={`state ${state}`} style={{ flexGrow: count }} />)}</div>
            <table className="plain"><tbody>{counts.map(({ state, count }) => <tr key={state}><td><span className={`state ${state}`}>{state}</span></td><td className="r">{formatCount(count)}</td></tr>)}</tbody></table>
            <p className="stat-foot">{plural(rows.length, "run")}</p>
        </section>
    )
}

export function TextCell({ text, onChange }: { text: string; onChange: ((text: string) => void) | null }): JSX.Element {
    return (
        <section className="card stat" aria-label="Text">
            {onChange ? <label className="field" style={{ height: "auto", padding: 9 }}><span className="hidden">Text</span><textarea rows={6} placeholder="What this dashboard is about. Markdown." value={text} onChange={event => onChange(event.target.value)} /></label>
                : text.trim() ? <Suspense fallback={<p>{text}</p>}><Markdown text={text} /></Suspense> : <p className="muted">No text yet.</p>}
        </section>
    )
}
