// One run: what it was, what it gave, and why it ended. The first screen answers without a click.
import { Suspense, lazy, useCallback, useEffect, useMemo, useRef, useState } from "react"
import { all, apiAddress, get, part, patch, remove, post } from "../api/client"
import { type Change, useChanges } from "../api/live"
import { invalidate, useResource } from "../api/resource"
import { type MetricStatistics, type Note, type Run, numberOf } from "../api/types"
import { Link, navigate, setQuery, useAddress } from "../app/router"
import { Frame } from "../app/Shell"
import { keep, kept, useTheme } from "../app/theme"
import { forgetCurves, growCurves, learnStarts } from "../charts/curves"
import { Panel } from "../charts/Panel"
import { plainText } from "../charts/pins"
import type { PanelSettings } from "../charts/subjects"
import { numberOfShortID } from "../charts/palette"
import { exactNumber, formatAgo, formatCount, formatDuration, formatNumber, formatValue, fullTime } from "../ui/format"
import { Empty, Failure, Icon, Menu, Skeleton, StateWord, copy, download, toast } from "../ui/parts"
import { asOptions, asPython, asYAML } from "./config"
import { ConsoleView, type Printed } from "./Console"
import { Children, ParentLink } from "./Family"
import { useArtifacts } from "./files/listing"
import { isEndedBadly, lastWordsQuestion, runQuestion } from "./look"
import { NoteCard, Notes } from "./Notes"

const Facts = lazy(() => import("./facts/Facts"))
const MediaSection = lazy(() => import("./media/MediaSection"))
const loadFiles = (): Promise<typeof import("./Files")> => import("./Files")
const Files = lazy(loadFiles)
// Asked for beside the run and not after it.
if (/\/artifacts\/?$/.test(location.pathname)) void loadFiles()
const LineageOfRun = lazy(() => import("./lineage/Lineage").then(module => ({ default: module.LineageOfRun })))

const tabs = ["overview", "charts", "system", "console", "artifacts", "lineage", "notes", "code"]

/** A short id means something inside its experiment only: it is looked up there, and the address becomes the run's own. */
export function RunOfExperiment({ experiment, id, tab }: { experiment: string; id: string; tab: string }): JSX.Element {
    const found = useResource(`short/${experiment}/${id}`, () => get<Run>(`experiments/${part(experiment)}/runs/${part(id)}`))
    const full = found.data?.id
    useEffect(() => {
        if (full) navigate(`/runs/${full}${tab === "overview" ? "" : `/${tab}`}`, { replace: true })
    }, [full, tab])
    return <Frame crumbs={[{ name: id }]}><main className="page" id="main">{found.error ? <Failure error={found.error} /> : <Skeleton />}</main></Frame>
}

export default function RunPage({ id, tab }: { id: string; tab: string }): JSX.Element {
    const run = useResource(`run/${id}`, () => get<Run>(runQuestion(id)))
    const metrics = useResource(`run/${id}/metrics`, () => get<{ metrics: MetricStatistics[] }>(`runs/${part(id)}/metrics`))
    const timer = useRef(0)
    const isOver = run.data ? run.data.state !== "running" && run.data.state !== "queued" : true
    const live = useChanges(run.data ? `run=${run.data.id}` : null, (changes: Change[]) => {
        growCurves(changes)
        if (!timer.current) {
            timer.current = window.setTimeout(() => {
                timer.current = 0
                invalidate(`run/${id}`)
            }, 1000)
        }
    }, before => {
        invalidate(`run/${id}`, before)
        forgetCurves(before)
    })
    useEffect(() => {
        if (run.data) learnStarts([{ id: run.data.id, start: Date.parse(run.data.start_time) }])
    }, [run.data])
    const shown = run.data
    const base = `/runs/${part(id)}`
    return (
        <Frame
            crumbs={shown ? [{ name: shown.project, to: `/projects/${part(shown.project)}`, far: true }, { name: shown.experiment_name, to: `/experiments/${shown.experiment_id}` }, { name: shown.name }] : [{ name: id.slice(0, 8) }]}
            tabs={tabs.map(name => ({ name: name[0]!.toUpperCase() + name.slice(1), to: name === "overview" ? base : `${base}/${name}`, isHere: tab === name }))}
            live={isOver ? null : live}>
            <main className="page" id="main" style={{ maxWidth: 1500 }}>
                {run.error ? <Failure error={run.error} again={run.reload} /> : !shown ? <Skeleton rows={10} /> : (
                    <>
                        <div className="head">
                            <div className="grow">
                                <h1 className="cut">{shown.name} {shown.name !== shown.short_id && <span className="muted">{shown.short_id}</span>}</h1>
                                <p className="lead" style={{ display: "flex", gap: 14, flexWrap: "wrap" }}>
                                    <StateWord state={shown.state} status={shown.status} />
                                    <span title={fullTime(shown.start_time)}>started {formatAgo(shown.start_time)}</span>
                                    <span>{formatDuration(shown.duration_seconds ?? (Date.now() - Date.parse(shown.start_time)) / 1000)}{isOver ? "" : " so far"}</span>
                                    {shown.parent_id && <ParentLink id={shown.parent_id} />}
                                    {shown.attempt > 1 && <span>attempt {shown.attempt}</span>}
                                    {shown.life === "deleted" && <b style={{ color: "var(--bad)" }}>deleted</b>}
                                </p>
                            </div>
                            <CopyMenu run={shown} />
                            <Menu label="Change this run" icon="more">
                                <button onClick={() => rename(shown)}>Rename</button>
                                <button onClick={() => saveFile(shown)}>Save as HTML</button>
                                <button onClick={() => changeLife(shown)}>{shown.life === "deleted" ? "Bring back" : "Delete"}</button>
                            </Menu>
                        </div>
                        {tab === "overview" && <Overview run={shown} metrics={metrics.data?.metrics ?? []} />}
                        {tab === "charts" && <Charts run={shown} metrics={metrics.data?.metrics ?? []} isSystem={false} />}
                        {tab === "system" && <Charts run={shown} metrics={metrics.data?.metrics ?? []} isSystem />}
                        {tab === "console" && <ConsoleView run={shown} isOver={isOver} />}
                        {tab === "artifacts" && <Suspense fallback={<Skeleton />}><Files run={shown} /></Suspense>}
                        {tab === "lineage" && <Suspense fallback={<Skeleton />}><LineageOfRun run={shown} /></Suspense>}
                        {tab === "notes" && <Notes owner={`runs/${part(shown.id)}`} />}
                        {tab === "code" && <Code run={shown} />}
                        {!tabs.includes(tab) && <Empty title={`There is no view “${tab}”`}>A run has those that stand above. <Link className="text" to={base}>Overview</Link></Empty>}
                    </>
                )}
            </main>
        </Frame>
    )
}

function saveFile(run: Run): void {
    // With all of its artifacts.
    Promise.all([import("./export/run"), get<Run>(`runs/${run.id}`)]).then(([{ runFile }, whole]) => runFile(whole)).then(text => download(`${run.name.replace(/[^\w.-]+/g, "_")}.html`, "text/html", text), (error: Error) => toast(error.message))
}

function rename(run: Run): void {
    const name = window.prompt("The run’s name", run.name)
    if (name) patch(`runs/${run.id}`, { name }).then(() => invalidate("run/"), (error: Error) => toast(error.message))
}

function changeLife(run: Run): void {
    const restore = (): void => void post(`runs/${run.id}/restore`, {}).then(() => invalidate("run/"))
    if (run.life === "deleted") restore()
    else remove(`runs/${run.id}`).then(() => { invalidate("run/"); toast(`${run.name} deleted`, restore) }, (error: Error) => toast(error.message))
}

function CopyMenu({ run }: { run: Run }): JSX.Element {
    return (
        <Menu label="Copy" icon="link">
            <button onClick={() => copy(location.href, "Link")}>Link</button>
            <button onClick={() => copy(run.id, "Id")}>Id</button>
            <hr />
            <button onClick={() => copy(asYAML(run.params), "Config")}>Config as YAML</button>
            <button onClick={() => copy(asOptions(run.params), "Config")}>Config as options</button>
            <button onClick={() => copy(asPython(run.params), "Config")}>Config as Python</button>
        </Menu>
    )
}

function Overview({ run, metrics }: { run: Run; metrics: MetricStatistics[] }): JSX.Element {
    const [search, setSearch] = useState("")
    const fits = (name: string): boolean => name.toLowerCase().includes(search.toLowerCase())
    const broken = metrics.filter(metric => metric.nan + metric.inf > 0)
    const own = metrics.filter(metric => !metric.metric.startsWith("system/"))
    const timeline = useResource(`run/${run.id}/timeline`, () => get<{ timeline: { state: string; status: string; cause: string; at: string }[] }>(`runs/${run.id}/timeline?limit=50`))
    const notes = useResource(`notes/runs/${run.id}`, () => all<Note>(`runs/${run.id}/notes`, "notes"))
    const end = useResource(isEndedBadly(run) ? `run/${run.id}/stderr` : null, () => get<Printed>(lastWordsQuestion(run.id)))
    const lastWords = (end.data?.chunks ?? []).map(chunk => chunk.text).join("").trimEnd().split("\n").slice(-8).join("\n")
    return (
        <>
            {(run.state === "failed" || run.state === "lost" || lastWords || broken.length > 0) && (
                <div className="message bad" style={{ marginBottom: 16 }}>
                    {run.state !== "running" && run.state !== "finished" && <><b>It {run.state === "lost" ? "was lost" : run.state === "cancelled" ? "was cancelled" : "failed"}</b> {fullTime(run.end_time)}. </>}
                    {broken.length > 0 && <>Values that are no number: {broken.slice(0, 5).map(metric => `${metric.metric} (${formatCount(metric.nan + metric.inf)} of ${formatCount(metric.count)})`).join(", ")}.</>}
                    {lastWords && <pre style={{ marginTop: 8, whiteSpace: "pre-wrap" }}>{lastWords}</pre>}
                </div>
            )}
            <dl className="facts">
                <div><dt>Started</dt><dd>{fullTime(run.start_time)}</dd></div>
                <div><dt>Ended</dt><dd>{run.end_time ? fullTime(run.end_time) : "still running"}</dd></div>
                <div><dt>Duration</dt><dd>{run.end_time ? formatDuration(run.duration_seconds) : `${formatDuration((Date.now() - Date.parse(run.start_time)) / 1000)} so far`}</dd></div>
                <div><dt>User</dt><dd>{run.user ?? "–"}</dd></div>
                <div><dt>Commit</dt><dd>{run.git_commit ? <code title={run.git_commit}>{run.git_commit.slice(0, 10)}</code> : "–"}</dd></div>
                <div><dt>Artifacts</dt><dd><Link className="text" to={`/runs/${run.id}/artifacts`}>{formatCount(run.artifact_count ?? 0)}</Link></dd></div>
            </dl>
            {run.description && <p style={{ marginTop: 14 }}>{run.description}</p>}
            <div className="section-title"><h2>Results and settings</h2><span className="grow" /><label className="field" style={{ flex: "0 1 220px" }}><Icon name="search" /><span className="hidden">Search names</span><input type="search" data-keys="/" placeholder="Search names" value={search} onChange={event => setSearch(event.target.value)} /></label></div>
            <div className="two">
                <div className="card" style={{ overflowX: "auto" }}>
                    <table className="plain">
                        <thead><tr><th>Metric</th><th className="r">Last</th><th className="r">Least</th><th className="r">Greatest</th><th className="r">Points</th></tr></thead>
                        <tbody>{own.filter(metric => fits(metric.metric)).map(metric => (
                            <tr key={metric.metric}>
                                <td className="wrap">{metric.metric}</td>
                                <td className="r" title={exactNumber(numberOf(metric.value))}><b>{formatNumber(numberOf(metric.value))}</b></td>
                                <td className="r muted" title={exactNumber(metric.min)}>{formatNumber(metric.min)}</td><td className="r muted" title={exactNumber(metric.max)}>{formatNumber(metric.max)}</td>
                                <td className="r muted">{formatCount(metric.count)}</td>
                            </tr>
                        ))}</tbody>
                    </table>
                    {own.length === 0 && <p className="empty">No metric was logged.</p>}
                </div>
                <div className="card" style={{ overflowX: "auto" }}>
                    <table className="plain">
                        <thead><tr><th>Param</th><th>Value</th></tr></thead>
                        <tbody>{Object.entries(run.params).filter(([key]) => fits(key)).map(([key, value]) => <tr key={key}><td className="wrap">{key}</td><td className="wrap mono">{formatValue(value)}</td></tr>)}</tbody>
                    </table>
                    {Object.keys(run.params).length === 0 && <p className="empty">No param was logged.</p>}
                </div>
            </div>
            <Children run={run} />
            <Suspense fallback={null}><Facts run={run.id} /></Suspense>
            <div className="two" style={{ marginTop: 20 }}>
                <div>
                    <div className="section-title"><h2>Notes</h2><Link className="text" to={`/runs/${run.id}/notes`}>write one</Link></div>
                    {(notes.data ?? []).slice(-3).map(note => <NoteCard key={note.note} note={note} />)}
                    {notes.data?.length === 0 && <p className="muted">None yet.</p>}
                </div>
                <div>
                    <div className="section-title"><h2>States</h2></div>
                    <div className="card"><table className="plain"><tbody>{(timeline.data?.timeline ?? []).map((change, index) => (
                        <tr key={index}><td><span className={`state ${change.state}`}>{change.state}</span></td><td className="muted">{change.cause}</td><td className="r muted">{fullTime(change.at)}</td></tr>
                    ))}</tbody></table></div>
                    {Object.keys(run.tags).length > 0 && <><div className="section-title"><h2>Tags</h2></div><p style={{ display: "flex", gap: 6, flexWrap: "wrap" }}>{Object.entries(run.tags).map(([key, value]) => <span key={key} className="chip">{key}{value ? `: ${value}` : ""}</span>)}</p></>}
                    {(run.model_versions ?? []).length > 0 && <><div className="section-title"><h2>Registered as</h2></div>{run.model_versions!.map((version, index) => <p key={index}><Link className="text" to={`/models/${part(version.name ?? "")}`}>{version.name}</Link> version {String(version.version)}</p>)}</>}
                </div>
            </div>
        </>
    )
}

function Charts({ run, metrics, isSystem }: { run: Run; metrics: MetricStatistics[]; isSystem: boolean }): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const notes = useResource(`notes/runs/${run.id}`, () => all<Note>(`runs/${run.id}/notes`, "notes"))
    const subjects = useMemo(() => [{ key: run.id, label: run.name, number: numberOfShortID(run.short_id), runs: [run.id], isGroup: false }], [run.id, run.name, run.short_id])
    const shown = useMemo(() => [{ id: run.id, name: run.name }], [run.id, run.name])
    const [stars, setStars] = useState<string[]>(() => JSON.parse(kept(`stars.${run.experiment_id}`, "[]")) as string[])
    const pinNote = useCallback((metric: string, step: number, text: string) => post(`runs/${run.id}/notes`, { text, metric, step }).then(() => {
        invalidate("notes/")
        toast(`Note at step ${formatCount(step)} saved`)
    }, (error: Error) => {
        toast(error.message)
        throw error
    }), [run.id])
    const zoom = query.get("zoom")
    const settings: PanelSettings = useMemo(() => {
        const range = zoom?.split(",").map(Number)
        return { axis: isSystem ? "relative" : "step", xMetric: null, smoothing: Number(query.get("smooth") ?? 0), isLogX: false, isLogY: false, clipsOutliers: true, interval: "ci95", range: range?.length === 2 ? [range[0]!, range[1]!] : null }
    }, [zoom, isSystem, query])
    const names = metrics.map(metric => metric.metric).filter(name => name.startsWith("system/") === isSystem)
    if (names.length === 0 && isSystem) return <Empty title={isSystem ? "No system use was logged" : "No metric was logged"}>{isSystem && <>Log metrics whose names begin with <code>system/</code>.</>}</Empty>
    return (
        <>
            <h2 className="hidden">{isSystem ? "System" : "Charts"}</h2>
            <div className="tools"><label className="label">Smoothing <input type="range" min="0" max="0.99" step="0.01" value={settings.smoothing} onChange={event => setQuery({ smooth: Number(event.target.value) ? event.target.value : null })} /><output className="num" style={{ width: 28 }}>{settings.smoothing ? settings.smoothing.toFixed(2) : "off"}</output></label>
                {settings.range && <button className="button on" onClick={() => setQuery({ zoom: null })}><Icon name="reset" />Reset zoom</button>}</div>
            <div className="grid">{names.map(name => (
                <Panel key={name} metric={name} subjects={subjects} settings={settings} theme={theme} highlight={null} isStarred={stars.includes(name)}
                    onRange={range => setQuery({ zoom: range ? range.map(value => Number(value.toPrecision(8))).join(",") : null })}
                    onStar={metric => { const next = stars.includes(metric) ? stars.filter(one => one !== metric) : [...stars, metric]; setStars(next); keep(`stars.${run.experiment_id}`, JSON.stringify(next)) }}
                    onNote={isSystem ? undefined : pinNote}
                    pins={(notes.data ?? []).filter(note => note.metric === name && note.step !== undefined && !isSystem).map(note => ({ x: note.step!, text: plainText(note.text) }))} />
            ))}</div>
            {!isSystem && <Suspense fallback={null}><MediaSection runs={shown} theme={theme} isLive={false} /></Suspense>}
        </>
    )
}

function Code({ run }: { run: Run }): JSX.Element {
    const { artifacts = [] } = useArtifacts(run.id)
    const diff = artifacts.find(artifact => /\.(diff|patch)$/.test(artifact.path))
    const environment = Object.entries(run.environment ?? {})
    const text = useResource(diff ? `run/${run.id}/diff` : null, () => fetch(apiAddress(`runs/${run.id}/artifacts/${diff!.path.split("/").map(part).join("/")}`)).then(answer => answer.text()))
    return (
        <div className="two">
            <div>
                <div className="section-title" style={{ marginTop: 0 }}><h2>Code</h2></div>
                <div className="card"><table className="plain"><tbody>
                    <tr><td>Commit</td><td className="mono wrap">{run.git_commit ?? "not recorded"}</td></tr><tr><td>Version</td><td className="mono wrap">{run.code_version ?? "–"}</td></tr><tr><td>Source</td><td className="mono wrap">{run.source ?? "–"}</td></tr>
                    {Object.entries(run.properties).filter(([key]) => !["git_commit", "code_version", "source", "user"].includes(key)).map(([key, value]) => <tr key={key}><td>{key}</td><td className="mono wrap">{value}</td></tr>)}
                </tbody></table></div>
                {text.data && <><div className="section-title"><h2>Changes that were not committed</h2></div><pre className="card" style={{ padding: 12, overflow: "auto" }}>{text.data.split("\n").map((line, index) => <span key={index} style={{ display: "block", color: line.startsWith("+") ? "var(--ok)" : line.startsWith("-") ? "var(--bad)" : undefined }}>{line || " "}</span>)}</pre></>}
            </div>
            <div>
                <div className="section-title" style={{ marginTop: 0 }}><h2>Environment</h2></div>
                {environment.length === 0 ? <p className="muted">None was recorded.</p> : <div className="card"><table className="plain"><tbody>{environment.map(([key, value]) => (
                    <tr key={key}><td style={{ verticalAlign: "top" }}>{key}</td><td className="mono wrap">{value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value).map(([name, version]) => <div key={name}>{name} {formatValue(version)}</div>) : formatValue(value)}</td></tr>
                ))}</tbody></table></div>}
            </div>
        </div>
    )
}

