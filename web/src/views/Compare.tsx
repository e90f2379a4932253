// Runs side by side: what differs in their settings, what they gave, and their curves in one place.
import { Suspense, lazy, useMemo, useState } from "react"
import { get, part } from "../api/client"
import { type Meaning, fetchMeanings } from "../api/meanings"
import { useResource } from "../api/resource"
import { type Run, numberOf } from "../api/types"
import { Link, setQuery, useAddress } from "../app/router"
import { Frame } from "../app/Shell"
import { useTheme } from "../app/theme"
import { Panel } from "../charts/Panel"
import type { PanelSettings, Subject } from "../charts/subjects"
import { numberOfShortID, strokeOf } from "../charts/palette"
import { exactNumber, formatDuration, formatNumber, formatValue, plural } from "../ui/format"
import { Empty, Failure, Skeleton, StateWord, copy, download, toast } from "../ui/parts"
import { bestOf } from "./comparison/best"

const Differences = lazy(() => import("./comparison/Differences"))
const none: string[] = []

export default function Compare(): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const ids = useMemo(() => (query.get("runs") ?? "").split(",").filter(Boolean).slice(0, 50), [query])
    const [isAll, setAll] = useState(false)
    const found = useResource(ids.length ? `compare/${ids.join(",")}` : null, () => Promise.all(ids.map(id => get<Run>(`runs/${part(id)}`))))
    const runs = found.data
    // Two runs of different experiments may have one number: places tell them apart then.
    const numbers = useMemo(() => {
        const own = (runs ?? []).map(run => numberOfShortID(run.short_id))
        return new Set(own.map(one => one % 10)).size === own.length ? own : own.map((_, index) => index)
    }, [runs])
    const subjects: Subject[] = useMemo(() => (runs ?? []).map((run, index) => ({ key: run.id, label: run.name, number: numbers[index]!, runs: [run.id], isGroup: false })), [runs, numbers])
    const zoom = query.get("zoom")
    const settings: PanelSettings = useMemo(() => {
        const range = zoom?.split(",").map(Number)
        return { axis: "step", xMetric: null, smoothing: 0, isLogX: false, isLogY: false, clipsOutliers: true, interval: "ci95", range: range?.length === 2 ? [range[0]!, range[1]!] : null }
    }, [zoom])
    const metrics = useMemo(() => Array.from(new Set((runs ?? []).flatMap(run => Object.keys(run.metrics)))).sort(), [runs])
    const params = useMemo(() => {
        const keys = Array.from(new Set((runs ?? []).flatMap(run => Object.keys(run.params))))
        return keys.map(key => ({ key, values: (runs ?? []).map(run => run.params[key]) })).map(row => ({ ...row, differs: new Set(row.values.map(value => JSON.stringify(value))).size > 1 }))
    }, [runs])
    const shown = useMemo(() => metrics.filter(name => !name.startsWith("system/")), [metrics])
    const meanings = useResource(runs && shown.length ? `meanings/${ids.join(",")}` : null, () => meaningsOf(runs!, shown))
    const save = (): void => {
        import("./export/comparison").then(({ comparisonFile }) => comparisonFile(runs!, subjects, shown, meanings.data ?? new Map<string, Meaning>(), settings.range))
            .then(text => download("comparison.html", "text/html", text), (error: Error) => toast(error.message))
    }
    return (
        <Frame crumbs={[{ name: "Compare" }]}>
            <main className="page" id="main" style={{ maxWidth: 1500 }}>
                <div className="head"><div className="grow"><h1>{runs ? `${runs.length} runs compared` : "Compare"}</h1></div>{runs && <button className="button" title="One file that shows this without a server" onClick={save}>Save as HTML</button>}<button className="button" onClick={() => copy(location.href, "Link")}>Copy link</button></div>
                {ids.length < 1 ? <Empty title="Nothing to compare yet">Pick two or more runs in an experiment’s table, then Compare.</Empty> : found.error ? <Failure error={found.error} again={found.reload} /> : !runs ? <Skeleton rows={12} /> : (
                    <>
                        <div className="card" style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label="Side by side">
                            <table className="plain diff">
                                <thead><tr><th style={{ minWidth: 160 }}><span className="hidden">Name</span></th>{runs.map((run, index) => <th key={run.id} className="r" style={{ minWidth: 130 }}><i style={{ display: "inline-block", width: 9, height: 9, borderRadius: 3, marginRight: 6, background: strokeOf(numbers[index]!, theme).colour }} /><Link to={`/runs/${run.id}`} style={{ color: "var(--fg)" }}>{run.name}</Link></th>)}</tr></thead>
                                <tbody>
                                    <tr><td className="muted">experiment</td>{runs.map(run => <td key={run.id} className="r">{run.experiment_name}</td>)}</tr>
                                    <tr><td className="muted">state</td>{runs.map(run => <td key={run.id} className="r"><StateWord state={run.state} /></td>)}</tr>
                                    <tr><td className="muted">duration</td>{runs.map(run => <td key={run.id} className="r">{formatDuration(run.duration_seconds)}</td>)}</tr>
                                    {params.filter(row => isAll || row.differs).map(row => <tr key={row.key}><td>{row.key}</td>{row.values.map((value, index) => <td key={index} className={`r mono${row.differs ? "" : " same"}`}>{value === undefined ? "–" : formatValue(value)}</td>)}</tr>)}
                                    <tr><td colSpan={runs.length + 1} className="muted">{params.filter(row => !row.differs).length > 0 && <button className="button quiet" onClick={() => setAll(!isAll)}>{isAll ? "Only params that differ" : `${plural(params.filter(row => !row.differs).length, "param")} the same`}</button>}</td></tr>
                                    {shown.map(name => {
                                        const values = runs.map(run => numberOf(run.metrics[name]))
                                        const meaning = meanings.data?.get(name)
                                        const best = bestOf(values, meaning)
                                        const base = values[0]
                                        return <tr key={name}><td>{name} {meaning && <Direction meaning={meaning} />}</td>{values.map((value, index) => (
                                            <td key={index} className={`r${value !== null && value === best ? ` best${meaning?.isGuessed ? " guessed" : ""}` : ""}`} title={exactNumber(value)}>{formatNumber(value)}{index > 0 && value !== null && base != null && Number.isFinite(value - base) && value !== base && <span className="muted" style={{ fontWeight: 400 }}> ({value > base ? "+" : ""}{formatNumber(value - base, 2)})</span>}</td>
                                        ))}</tr>
                                    })}
                                </tbody>
                            </table>
                        </div>
                        <div className="section-title"><h2>Curves</h2></div>
                        <div className="grid">{shown.map(name => <Panel key={name} metric={name} subjects={subjects} settings={settings} theme={theme} highlight={null} isStarred={none.includes(name)} onStar={() => undefined} onRange={range => setQuery({ zoom: range ? range.map(value => Number(value.toPrecision(8))).join(",") : null })} />)}</div>
                        {runs.length > 1 && <Suspense fallback={<Skeleton rows={4} />}><Differences runs={runs} /></Suspense>}
                    </>
                )}
            </main>
        </Frame>
    )
}

/** Which way each metric is better; those on which experiments disagree have none. */
async function meaningsOf(runs: Run[], metrics: string[]): Promise<Map<string, Meaning>> {
    const experiments = Array.from(new Set(runs.map(run => run.experiment_id)))
    const answers = await Promise.all(experiments.map(experiment => fetchMeanings(experiment, metrics)))
    const said = new Map<string, Meaning>()
    for (const metric of metrics) {
        const all = answers.map(answer => answer.get(metric)).filter((one): one is Meaning => one !== undefined)
        // What one experiment says counts more than what is guessed for another.
        const stated = all.filter(one => !one.isGuessed)
        const counted = stated.length ? stated : all
        if (counted.length && counted.every(one => one.goal === counted[0]!.goal)) said.set(metric, counted[0]!)
    }
    return said
}

function Direction({ meaning: { goal, isGuessed } }: { meaning: Meaning }): JSX.Element {
    const words = `${goal === "min" ? "Less" : "More"} is better${isGuessed ? ", guessed from the name" : ""}`
    return <span className="muted" title={words}><span aria-hidden="true">{goal === "min" ? "↓" : "↑"}{isGuessed && "?"}</span><span className="hidden">{words}</span></span>
}
