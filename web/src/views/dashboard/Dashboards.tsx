// The dashboards of an experiment, and one of them: live, and changed by whoever may write.
import "../../core"
import { useEffect, useMemo, useRef, useState } from "react"
import { type ApiError, get, part } from "../../api/client"
import { useChanges } from "../../api/live"
import { useMeanings } from "../../api/meanings"
import { invalidate, useResource } from "../../api/resource"
import type { Experiment, LoggedNames } from "../../api/types"
import { Link, navigate, useLeaveQuestion } from "../../app/router"
import { ExperimentFrame } from "../../app/Shell"
import { useTheme } from "../../app/theme"
import { forgetCurves, growCurves, learnStarts } from "../../charts/curves"
import { plural } from "../../ui/format"
import { Empty, Failure, Icon, Menu, Skeleton, copy, toast } from "../../ui/parts"
import { FilterField } from "../FilterField"
import { type RunRow, differing, fetchRuns, labelOf } from "../runs"
import { type Study, numericParams } from "../statistics/fields"
import { subjectsOf } from "./Cells"
import { Widget } from "./Widget"
import { type Dashboard, type Kind, dashboardNames, drop, firstWidgets, differencesOf, kinds, parsed, prefix, save } from "./model"

const metricsMax = 200
const runsMax = 2000
const noRows: RunRow[] = []

export default function Dashboards({ id, name }: { id: string; name?: string }): JSX.Element {
    const experiment = useResource(`experiment/${id}`, () => get<Experiment>(`experiments/${part(id)}`))
    const names = useResource(`experiment/${id}/names`, () => get<LoggedNames>(`experiments/${part(id)}/names`))
    const kept = experiment.data && name !== undefined ? experiment.data.tags[prefix + name] : undefined
    const known = useMemo(() => (kept === undefined ? null : parsed(kept)), [kept])
    const error = experiment.error ?? names.error
    return (
        <ExperimentFrame id={id} tab="dashboards">
            <main className="page" id="main" style={{ maxWidth: 1500 }}>
                {error ? <Failure error={error} again={experiment.reload} /> : !experiment.data || !names.data ? <Skeleton rows={8} />
                    : name === undefined ? <List id={id} experiment={experiment.data} names={names.data} />
                    : kept === undefined ? <Empty title={`There is no dashboard “${name}” here`}><Link className="text" to={`/experiments/${part(id)}/dashboards`}>All dashboards</Link></Empty>
                    : !known ? <Empty title="This is no dashboard">The tag <code>{prefix + name}</code> holds something else.</Empty>
                    : <Page key={name} id={id} experiment={experiment.data} names={names.data} name={name} kept={known} text={kept} />}
            </main>
        </ExperimentFrame>
    )
}

function mainMetric(metrics: string[]): string {
    return ["val/accuracy", "val_accuracy", "accuracy", "val/loss", "val_loss", "loss"].find(name => metrics.includes(name)) ?? metrics.find(name => !name.startsWith("system/")) ?? metrics[0] ?? ""
}

function List({ id, experiment, names }: { id: string; experiment: Experiment; names: LoggedNames }): JSX.Element {
    const [name, setName] = useState("")
    const every = dashboardNames(experiment)
    const make = (): void => {
        const wanted = name.trim()
        if (!wanted) return
        if (every.includes(wanted)) return toast(`There is a dashboard “${wanted}” already`)
        save(experiment, wanted, { filter: "", widgets: firstWidgets(names.metrics, mainMetric(names.metrics)) }).then(() => {
            invalidate(`experiment/${id}`)
            navigate(`/experiments/${part(id)}/dashboards/${part(wanted)}`)
        }, (error: Error) => toast(error.message))
    }
    return (
        <>
            <div className="head">
                <div className="grow"><h1>Dashboards</h1><p className="lead">Widgets that stay as they were put together, and live with the runs.</p></div>
                <form style={{ display: "flex", gap: 6 }} onSubmit={event => { event.preventDefault(); make() }}>
                    <label className="field"><span className="hidden">Name</span><input placeholder="Name" maxLength={80} value={name} onChange={event => setName(event.target.value)} /></label>
                    <button className="button main" disabled={!name.trim()}>New dashboard</button>
                </form>
            </div>
            {every.length === 0 ? <div className="card"><Empty title="No dashboard yet">Name one above. It begins with the best value, the states and the main curves, and is changed from there.</Empty></div> : (
                <div className="card"><table className="plain"><thead><tr><th>Dashboard</th><th className="r">Widgets</th></tr></thead>
                    <tbody>{every.map(one => <tr key={one}><td><Link to={`/experiments/${part(id)}/dashboards/${part(one)}`} style={{ fontWeight: 550 }}>{one}</Link></td><td className="r">{parsed(experiment.tags[prefix + one])?.widgets.length ?? "–"}</td></tr>)}</tbody></table></div>
            )}
        </>
    )
}

function Page({ id, experiment, names, name, kept, text }: { id: string; experiment: Experiment; names: LoggedNames; name: string; kept: Dashboard; text: string | null }): JSX.Element {
    const theme = useTheme()
    const [draft, setDraft] = useState(kept)
    const [isEditing, setEditing] = useState(false)
    const [isLeaving, setLeaving] = useState(false)
    // What the change began from: somebody else may save meanwhile.
    const [base, setBase] = useState({ kept, text })
    const isChanged = JSON.stringify(draft) !== JSON.stringify(base.kept)
    const isBehind = base.text !== text
    useLeaveQuestion(isChanged && !isLeaving ? "This dashboard has changes that are not saved. Leave it and lose them?" : null)
    const take = (): void => {
        setDraft(kept)
        setBase({ kept, text })
    }
    // What somebody else saved is shown, unless one has changed it oneself.
    useEffect(() => { if (!isChanged) take() }, [text])
    const metrics = useMemo(() => names.metrics.filter(one => !one.startsWith("system/")).slice(0, metricsMax), [names])
    const found = useResource(`experiment/${id}/runs/dashboard|${draft.filter}`, () => fetchRuns({ experiment_id: [experiment.id], filter: draft.filter, metrics, params: ["*"], max: runsMax }))
    const rows = found.data?.rows ?? noRows
    useEffect(() => learnStarts(rows), [rows])
    // Curves grow by what arrives; the table of all runs is asked for again, but not with every point.
    const timer = useRef(0)
    useEffect(() => () => window.clearTimeout(timer.current), [])
    useChanges(`experiment=${part(experiment.id)}`, changes => {
        growCurves(changes)
        if (timer.current) return
        timer.current = window.setTimeout(() => {
            timer.current = 0
            invalidate(`experiment/${id}/runs/dashboard`)
        }, 1000)
    }, before => {
        invalidate(`experiment/${id}/`, before)
        forgetCurves(before)
    })
    const goalOf = useMeanings(id, metrics)
    const different = useMemo(() => differing(rows), [rows])
    const subjects = useMemo(() => subjectsOf(rows, different), [rows, different])
    const study: Study = useMemo(() => ({
        experiment: id, rows, metric: mainMetric(names.metrics), theme, clips: true, different, params: numericParams(rows, different),
        metrics: metrics.map(one => ({ id: `metrics.${one}`, name: one })), goalOf, labelOf: row => labelOf(row, different, 3),
    }), [id, rows, names, theme, different, metrics, goalOf])
    const put = (widgets: Dashboard["widgets"]): void => setDraft(old => ({ ...old, widgets }))
    const add = (kind: Kind): void => {
        setEditing(true)
        put([...draft.widgets, { kind, width: kind === "best" || kind === "states" || kind === "curve" ? 1 : 2, settings: kind === "states" || kind === "text" || kind === "correlation" ? {} : { metric: study.metric } }])
    }
    const store = (known: string | null): void => void save(experiment, name, draft, known).then(() => {
        setBase({ kept: draft, text: JSON.stringify(draft) })
        invalidate(`experiment/${id}`)
        setEditing(false)
        toast("Dashboard saved")
    }, (error: ApiError) => {
        // What was changed is said on the page, once it is known.
        if (error.status === 409) invalidate(`experiment/${id}`)
        else toast(error.message)
    })
    const remove = (): void => {
        setLeaving(true)
        drop(experiment, name).then(() => {
            invalidate(`experiment/${id}`)
            navigate(`/experiments/${part(id)}/dashboards`)
            toast(`Dashboard “${name}” removed`, () => void save(experiment, name, kept).then(() => invalidate(`experiment/${id}`)))
        }, (error: Error) => {
            setLeaving(false)
            toast(error.message)
        })
    }
    const move = (from: number, by: number): void => {
        const to = from + by
        if (to < 0 || to >= draft.widgets.length) return
        const next = [...draft.widgets]
        ;[next[from], next[to]] = [next[to]!, next[from]!]
        put(next)
    }
    return (
        <>
            <div className="head">
                <div className="grow"><h1 className="cut">{name}</h1><p className="lead">{found.data ? `${plural(found.data.total, "run")}${draft.filter ? " that fit the filter" : ""}${found.data.total > rows.length ? `, the newest ${rows.length}` : ""}` : " "}</p></div>
                {(isEditing || draft.filter) && <div style={{ width: 300 }}><FilterField filter={draft.filter} error={found.error && found.error.status < 500 ? found.error : null} advice={found.data?.advice ?? []} names={names} onFilter={filter => setDraft(old => ({ ...old, filter }))} /></div>}
                {isEditing && <Menu label="Add a widget" icon="add" className="button icon">{(Object.keys(kinds) as Kind[]).map(kind => <button key={kind} onClick={() => add(kind)}>{kinds[kind]}</button>)}</Menu>}
                {isChanged && <button className="button" onClick={() => { take(); setEditing(false) }}>Discard</button>}
                {isChanged ? <button className="button main" disabled={isBehind} onClick={() => store(base.text)}>Save</button> : <button className="button" aria-pressed={isEditing} onClick={() => setEditing(!isEditing)}>{isEditing ? "Done" : "Edit"}</button>}
                <Menu label="More of this dashboard" icon="more"><button onClick={() => copy(location.href, "Link")}>Copy link<Icon name="link" /></button><button onClick={remove}>Remove</button></Menu>
            </div>
            {isBehind && isChanged && (
                <div className="message bad" role="alert" style={{ marginBottom: 14 }}>
                    <b>Somebody else has saved this dashboard since you began.</b> Theirs: {differencesOf(base.kept, kept).join("; ") || "the same widgets"}.{" "}
                    <button className="button" onClick={() => { take(); setEditing(false) }}>Show theirs, drop mine</button>{" "}
                    <button className="button" onClick={() => store(text)}>Save mine over theirs</button>
                </div>
            )}
            {found.error && found.error.status >= 500 ? <Failure error={found.error} again={found.reload} /> : found.isLoading && rows.length === 0 ? <Skeleton rows={10} />
                : draft.widgets.length === 0 ? <div className="card"><Empty title="An empty dashboard"><button className="button" onClick={() => add("curve")}>Add a curve</button></Empty></div>
                : <><h2 className="hidden">Widgets</h2><div className="widgets">{draft.widgets.map((widget, index) => (
                    <Widget key={`${index}-${widget.kind}`} widget={widget} study={study} subjects={subjects} isEditing={isEditing}
                        onChange={next => put(draft.widgets.map((one, place) => (place === index ? next : one)))}
                        onMove={by => move(index, by)} onRemove={() => put(draft.widgets.filter((_, place) => place !== index))} />
                ))}</div></>}
        </>
    )
}
