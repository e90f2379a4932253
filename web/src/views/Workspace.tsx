// The workspace: the runs of an experiment on the left, a panel for each metric on the right. How it is looked at lies
// in the address.
import { Suspense, lazy, useCallback, useEffect, useMemo, useRef, useState } from "react"
import { get, part } from "../api/client"
import { useChanges } from "../api/live"
import { invalidate, useResource } from "../api/resource"
import type { Axis, Experiment, LoggedNames } from "../api/types"
import { setQuery, useAddress } from "../app/router"
import { ExperimentFrame } from "../app/Shell"
import { keep, kept, useTheme } from "../app/theme"
import type { Interval } from "../charts/curve"
import { forgetCurves, growCurves, learnStarts } from "../charts/curves"
import { Panel } from "../charts/Panel"
import { usePins } from "../charts/pins"
import type { PanelSettings, Subject } from "../charts/subjects"
import { useLater } from "../ui/later"
import { Empty, Failure, Icon, Skeleton } from "../ui/parts"
import { FirstSteps } from "./FirstSteps"
import { listColumns, listQuestion } from "./look"
import { RunList } from "./RunList"
import { useRenewed } from "./renewal"
import { type RunRow, differing, fetchRuns, groupRuns, labelOf, seedGrouping } from "./runs"

const MediaSection = lazy(() => import("./media/MediaSection"))

const visibleAtFirst = 10
/** So many panels fit a usual screen: they need not be looked for first. */
const inSightAtFirst = 6
const noRows: RunRow[] = []

export function Workspace({ id }: { id: string }): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const experiment = useResource(`experiment/${id}`, () => get<Experiment>(`experiments/${part(id)}`))
    const names = useResource(`experiment/${id}/names`, () => get<LoggedNames>(`experiments/${part(id)}/names`))
    const filter = query.get("q") ?? ""
    const columnText = query.get("cols") ?? kept(`cols.${id}`, "")
    const columns = useMemo(() => columnText.split(",").filter(Boolean), [columnText])
    const metricNames = names.data?.metrics ?? []
    const chosen = columns.length ? columns : listColumns(metricNames)
    const { limit, ...asked } = listQuestion(id, filter, columnText, metricNames)
    const question = { ...asked, max: limit }
    const found = useResource(names.data || names.error ? `experiment/${id}/runs|${filter}|${asked.metrics.join(",")}` : null, () => fetchRuns(question))
    // The list shows what runs log meanwhile; the panels draw that themselves, and are not made anew for it.
    const [listed, hear] = useRenewed(found.data, question)
    const lastRows = useRef<RunRow[]>(noRows)
    if (found.data) lastRows.current = found.data.rows
    const rows = found.data?.rows ?? (found.isLoading ? lastRows.current : noRows)
    useEffect(() => learnStarts(rows), [rows])

    // Grouping is offered where runs differ in seeds, and taken where nobody said otherwise.
    const different = useMemo(() => differing(rows), [rows])
    const byDefault = useMemo(() => seedGrouping(rows, different), [rows, different])
    const groupWish = query.get("group")
    const by = useMemo(
        () => (groupWish === "none" ? null : groupWish && groupWish !== "seeds" ? groupWish.split(",") : byDefault),
        [groupWish, byDefault])
    const groups = useMemo(() => (by ? groupRuns(rows, by) : null), [rows, by])
    const listedGroups = useMemo(() => (by && listed.length ? groupRuns(listed, by) : groups), [listed, by, groups])

    const show = query.get("show")
    const visible = useMemo(() => {
        if (show !== null) return new Set(show.split(",").filter(Boolean))
        return new Set((groups ? groups.map(group => group.members[0]!.shortID) : rows.map(row => row.shortID)).slice(0, visibleAtFirst))
    }, [show, groups, rows])
    // Entries that the app shows stand by their first member's number in the address.
    const setVisible = useCallback((next: Set<string>) => setQuery({ show: Array.from(next).join(",") }), [])

    const subjects: Subject[] = useMemo(() => {
        if (groups) {
            return groups.filter(group => group.members.some(row => visible.has(row.shortID))).map(group => ({
                key: group.key, label: group.label, number: group.number, runs: group.members.map(row => row.id), isGroup: true,
            }))
        }
        const keys = different.length ? different : []
        return rows.filter(row => visible.has(row.shortID)).map(row => {
            const label = labelOf(row, keys)
            const name = row.name !== row.shortID ? row.name : row.shortID
            return { key: row.id, label: label ? `${name} · ${label}` : name, number: row.number, runs: [row.id], isGroup: false }
        })
    }, [groups, rows, visible, different])

    const live = useChanges(experiment.data ? `experiment=${part(experiment.data.id)}` : null, changes => {
        growCurves(changes)
        hear(changes)
        if (changes.some(change => change.event)) {
            invalidate(`experiment/${id}/runs`)
            invalidate("notes/")
        }
        const known = new Set(metricNames)
        if (changes.some(change => change.metrics && Object.keys(change.metrics).some(name => name !== "step" && !known.has(name))))
            invalidate(`experiment/${id}/names`)
    }, before => {
        invalidate(`experiment/${id}/`, before)
        forgetCurves(before)
    })
    const pictured = useMemo(() => {
        const byID = new Map(rows.map(row => [row.id, row]))
        return subjects.flatMap(subject => subject.runs).map(run => ({ id: run, name: byID.get(run)?.name ?? run.slice(0, 8) }))
    }, [subjects, rows])
    // What lies below the panels leaves the server to them.
    const isLater = useLater(rows.length > 0)
    const hasRunning = rows.some(row => row.state === "running")

    const axisWish = query.get("x") ?? "step"
    const rangeText = query.get("zoom")
    const settings: PanelSettings = useMemo(() => {
        const isAxis = axisWish === "step" || axisWish === "relative" || axisWish === "time"
        const range = rangeText?.split(",").map(Number)
        return {
            axis: (isAxis ? axisWish : "step") as Axis,
            xMetric: isAxis ? null : axisWish,
            smoothing: Number(query.get("smooth") ?? "0"),
            isLogY: query.get("log")?.includes("y") ?? false,
            isLogX: query.get("log")?.includes("x") ?? false,
            clipsOutliers: query.get("full") !== "1",
            interval: (query.get("band") ?? "ci95") as Interval,
            range: range && range.length === 2 && range.every(Number.isFinite) ? [range[0]!, range[1]!] : null,
        }
    }, [axisWish, rangeText, query])
    const onRange = useCallback(
        (range: [number, number] | null) => setQuery({ zoom: range ? range.map(value => Number(value.toPrecision(8))).join(",") : null }), [])
    const [highlight, setHighlight] = useState<string | null>(null)

    const [width, setWidth] = useState(() => Number(kept("list", "430")))
    const search = query.get("panels") ?? ""
    const [stars, setStars] = useState<string[]>(() => JSON.parse(kept(`stars.${id}`, "[]")) as string[])
    const onStar = useCallback((metric: string) => setStars(old => {
        const next = old.includes(metric) ? old.filter(name => name !== metric) : [...old, metric]
        keep(`stars.${id}`, JSON.stringify(next))
        return next
    }), [id])
    const pinsOf = usePins(subjects)
    // A note is at a step: on another axis it has no place.
    const hasSteps = settings.axis === "step" && settings.xMetric === null
    const sections = useMemo(() => sectionsOf(metricNames, search, stars), [names.data, search, stars])

    if (experiment.error) return <ExperimentFrame id={id} tab="workspace"><div className="page"><Failure error={experiment.error} again={experiment.reload} /></div></ExperimentFrame>
    return (
        <ExperimentFrame id={id} tab="workspace" live={hasRunning || live !== "live" ? live : null}>
            <div className="work" style={{ ["--list" as string]: `${width}px` }}>
                <RunList
                    rows={listed.length ? listed : rows} total={found.data?.total ?? rows.length} isLoading={found.isLoading && rows.length === 0} error={found.error} filter={filter}
                    advice={found.data?.advice ?? []} groups={listedGroups} canGroup={byDefault !== null} by={by} different={different} visible={visible} setVisible={setVisible}
                    columns={chosen} setColumns={next => { keep(`cols.${id}`, next.join(",")); setQuery({ cols: next.join(",") }) }}
                    names={names.data} theme={theme} highlight={highlight} onHighlight={setHighlight} params={different}
                    grip={<Grip width={width} onWidth={next => { setWidth(next); keep("list", String(next)) }} />} />
                <main className="panels" id="main">
                    <h1 className="hidden">{experiment.data?.name ?? id}</h1>
                    <Tools names={metricNames} settings={settings} search={search} hasGroups={groups !== null} />
                    {names.isLoading || (names.data !== undefined && found.isLoading && rows.length === 0) ? <Skeleton rows={8} />
                        : names.error ? <Failure error={names.error} again={names.reload} />
                        : rows.length === 0 && !filter && !found.isLoading ? <FirstSteps experiment={experiment.data?.name ?? id} />
                        : metricNames.length === 0 ? <Empty title="No metric yet">Panels appear here as soon as a run logs one.</Empty>
                        : sections.length === 0 ? <Empty title="No panel fits">No metric’s name matches “{search}”.</Empty>
                        : sections.map((section, place) => (
                            <Section key={section.name} name={section.name} count={section.metrics.length} isStart={section.isStart}>
                                <div className="grid">
                                    {section.metrics.map((metric, index) => (
                                        <Panel key={metric} isInSight={place === 0 && index < inSightAtFirst} metric={metric} subjects={subjects} settings={settings} onRange={onRange} theme={theme} highlight={highlight} isStarred={stars.includes(metric)} onStar={onStar} {...(hasSteps ? { pins: pinsOf(metric) } : {})} />
                                    ))}
                                </div>
                            </Section>
                        ))}
                    {!search && pictured.length > 0 && isLater && <Suspense fallback={null}><MediaSection runs={pictured} theme={theme} isLive={hasRunning} /></Suspense>}
                </main>
            </div>
        </ExperimentFrame>
    )
}

interface Sections { name: string; metrics: string[]; isStart: boolean }

function sectionsOf(metrics: string[], search: string, stars: string[]): Sections[] {
    let fits = (_: string): boolean => true
    if (search) {
        try {
            const pattern = new RegExp(search, "i")
            fits = name => pattern.test(name)
        } catch {
            fits = name => name.toLowerCase().includes(search.toLowerCase())
        }
    }
    const shown = metrics.filter(fits)
    const sections = new Map<string, string[]>()
    const starred = shown.filter(name => stars.includes(name))
    for (const name of shown) {
        if (stars.includes(name)) continue
        const slash = name.indexOf("/")
        const prefix = slash > 0 ? name.slice(0, slash) : ""
        sections.set(prefix, [...(sections.get(prefix) ?? []), name])
    }
    const rank = (name: string): number => (name === "" ? 2.5 : /^val|^eval|^test/i.test(name) ? 0 : name === "system" ? 3 : 2)
    const list = Array.from(sections, ([name, members]) => ({ name: name || "Charts", metrics: members, isStart: true, rank: rank(name) }))
        .sort((a, b) => a.rank - b.rank || a.name.localeCompare(b.name))
    return [...(starred.length ? [{ name: "Starred", metrics: starred, isStart: true }] : []), ...list]
}

function Section({ name, count, isStart, children }: { name: string; count: number; isStart: boolean; children: React.ReactNode }): JSX.Element {
    const [isOpen, setOpen] = useState(isStart)
    return (
        <section className="section" aria-label={name}>
            <h2><button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}><Icon name="chevron" />{name} <span className="chip num">{count}</span></button></h2>
            {isOpen && children}
        </section>
    )
}

function Tools({ names, settings, search, hasGroups }: { names: string[]; settings: PanelSettings; search: string; hasGroups: boolean }): JSX.Element {
    // Hundreds of options that nobody has opened yet.
    const isLater = useLater()
    const logs = `${settings.isLogX ? "x" : ""}${settings.isLogY ? "y" : ""}`
    const setLog = (letter: string): void => {
        const next = logs.includes(letter) ? logs.replace(letter, "") : logs + letter
        setQuery({ log: next || null })
    }
    return (
        <div className="tools" role="toolbar" aria-label="How charts are drawn">
            <label className="field" style={{ width: 190 }}>
                <Icon name="search" /><span className="hidden">Search panels</span>
                <input type="search" placeholder="Search panels" value={search} onChange={event => setQuery({ panels: event.target.value || null })} />
            </label>
            <label className="label">X axis
                <select className="select" value={settings.xMetric ?? settings.axis} onChange={event => setQuery({ x: event.target.value === "step" ? null : event.target.value, zoom: null })}>
                    <option value="step">step</option><option value="relative">time since start</option><option value="time">wall clock</option>
                    <optgroup label="Metric">{(isLater ? names.slice(0, 500) : names.filter(name => name === settings.xMetric)).map(name => <option key={name} value={name}>{name}</option>)}</optgroup>
                </select>
            </label>
            <label className="label">Smoothing
                <input type="range" min="0" max="0.99" step="0.01" value={settings.smoothing} onChange={event => setQuery({ smooth: Number(event.target.value) > 0 ? event.target.value : null })} />
                <output className="num" style={{ width: 28 }}>{settings.smoothing ? settings.smoothing.toFixed(2) : "off"}</output>
            </label>
            <span className="label">Log
                <button className="button" aria-pressed={settings.isLogX} onClick={() => setLog("x")}>x</button>
                <button className="button" aria-pressed={settings.isLogY} onClick={() => setLog("y")}>y</button>
            </span>
            {hasGroups && (
                <label className="label">Band
                    <select className="select" value={settings.interval} onChange={event => setQuery({ band: event.target.value === "ci95" ? null : event.target.value })}>
                        <option value="ci95">95 % interval of the mean</option><option value="std">standard deviation</option><option value="minmax">least to greatest</option>
                    </select>
                </label>
            )}
            {settings.range && <button className="button on" onClick={() => setQuery({ zoom: null })}><Icon name="reset" />Reset zoom</button>}
        </div>
    )
}

function Grip({ width, onWidth }: { width: number; onWidth: (width: number) => void }): JSX.Element {
    const bounded = (value: number): number => Math.max(230, Math.min(window.innerWidth * 0.6, Math.round(value)))
    return (
        <div
            className="grip" role="separator" aria-orientation="vertical" aria-label="Width of the run list" aria-valuenow={width} tabIndex={0}
            onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={event => event.currentTarget.hasPointerCapture(event.pointerId) && onWidth(bounded(event.clientX))}
            onKeyDown={event => {
                if (event.key === "ArrowLeft") onWidth(bounded(width - 16))
                if (event.key === "ArrowRight") onWidth(bounded(width + 16))
            }} />
    )
}

