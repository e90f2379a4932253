// The table of all runs of an experiment, up to 100,000: the server sorts and filters, and only cells in sight are in the
// page.
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react"
import { get, part } from "../api/client"
import { useChanges } from "../api/live"
import { invalidate, useResource } from "../api/resource"
import type { LoggedNames } from "../api/types"
import { Link, navigate, setQuery, useAddress } from "../app/router"
import { ExperimentFrame } from "../app/Shell"
import { keep, kept, rowHeight, useDensity, useTheme } from "../app/theme"
import { useCurves } from "../charts/curves"
import { strokeOf } from "../charts/palette"
import { Spark } from "../charts/Spark"
import { exactNumber, formatCount, formatNumber, fullTime, plural } from "../ui/format"
import { Failure, Icon, Skeleton, StateWord, download } from "../ui/parts"
import { FilterField } from "./FilterField"
import { archiveRuns, deleteRuns, tagRuns } from "./bulk"
import { FirstSteps } from "./FirstSteps"
import { firstLook } from "./look"
import { valueOf } from "./RunList"
import { useRenewed } from "./renewal"
import { type RunRow, differing, groupRuns, isSeedName, useRuns } from "./runs"

interface Column { id: string; name: string; isNumber: boolean }

const plain: Column[] = [{ id: "state", name: "State", isNumber: false }, { id: "started", name: "Started", isNumber: true }, { id: "duration", name: "Duration", isNumber: true }, { id: "user", name: "User", isNumber: false }]

/** A name as the search language takes it. */
export function fieldOf(column: string): string {
    const dot = column.indexOf(".")
    if (column === "started") return "start_time"
    if (dot < 0) return column
    const name = column.slice(dot + 1)
    return column.slice(0, dot + 1) + (/^[A-Za-z_][\w/-]*$/.test(name) ? name : `\`${name}\``)
}

function namesIn(columns: string[], kind: string): string[] {
    return columns.filter(name => name.startsWith(kind)).map(name => name.slice(kind.length))
}

function standardColumns({ metrics, params }: LoggedNames): string[] {
    return ["state", "started", "duration", ...metrics.filter(isSparked).slice(0, 1).map(name => `curve.${name}`), ...metrics.filter(name => !name.startsWith("system/")).slice(0, 6).map(name => `metrics.${name}`), ...params.slice(0, 12).map(name => `params.${name}`)]
}

export default function RunTable({ id }: { id: string }): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const height = rowHeight[useDensity()]
    const filter = query.get("q") ?? ""
    const order = query.get("sort") ?? "started:desc"
    const names = useResource(`experiment/${id}/names`, () => get<LoggedNames>(`experiments/${part(id)}/names`))
    const chosen = (query.get("columns") ?? kept(`table.${id}`, "")).split(",").filter(Boolean)
    const standard = useMemo(() => (names.data ? standardColumns(names.data) : null), [names.data])
    const [hasLooked, setLooked] = useState(false)
    const known = chosen.length ? chosen : hasLooked ? standard : null
    const [by, direction] = order.split(/:(?=[^:]*$)/)
    const [version, setVersion] = useState(0)
    // Until it is known which names there are, a first look at the newest rows brings its own.
    const orders = by ? `${fieldOf(by)} ${direction === "asc" ? "ASC" : "DESC"}` : "start_time DESC"
    const { limit, ...look } = firstLook(id, filter, orders)
    const question = known
        ? { ...look, metrics: namesIn(known, "metrics."), params: namesIn(known, "params."), tags: namesIn(known, "tags."), max: 100_000 }
        : { ...look, max: limit }
    const found = useRuns(`${id}|${filter}|${order}|${known ? known.join(",") : "look"}`, question, version)
    const isOver = found.data !== undefined || found.error !== null
    useEffect(() => { if (isOver) setLooked(true) }, [isOver])
    const [rows, hear] = useRenewed(found.error ? undefined : found.data, question)
    const wanted = known ?? standardColumns({ metrics: Object.keys(rows[0]?.metrics ?? {}), params: Object.keys(rows[0]?.params ?? {}), tags: [] })
    const columns: Column[] = wanted.map(column => plain.find(one => one.id === column) ?? { id: column, name: column.startsWith("curve.") ? `${column.slice(6)} curve` : column.slice(column.indexOf(".") + 1), isNumber: column.startsWith("metrics.") })
    const refresh = useRef(0)
    const lookAgain = (): void => {
        if (refresh.current) return
        refresh.current = window.setTimeout(() => {
            refresh.current = 0
            setVersion(old => old + 1)
        }, 500)
    }
    useChanges(`experiment=${part(id)}`, changes => {
        if (changes.some(change => change.event)) lookAgain()
        else hear(changes)
    }, before => {
        if (found.asked < before) lookAgain()
    })
    const [picked, setPicked] = useState<Set<string>>(new Set())
    const [onlyDifferent, setOnlyDifferent] = useState(false)
    const group = query.get("group")
    const different = useMemo(() => differing(rows), [rows])
    const shownColumns = onlyDifferent ? columns.filter(column => !column.id.startsWith("params.") || different.includes(column.id.slice(7))) : columns
    const groups = useMemo(() => (group ? groupRuns(rows, group === "seeds" ? different.filter(name => !isSeedName(name)) : [group]) : null), [rows, group, different])

    const isDone = (): void => {
        setPicked(new Set())
        invalidate(`experiment/${id}`)
        lookAgain()
    }
    return (
        <ExperimentFrame id={id} tab="table">
            <main className="grid-wrap" id="main">
                <h1 className="hidden">Runs</h1>
                <div className="grid-tools">
                    <div style={{ width: 380, maxWidth: "100%" }}><FilterField filter={filter} error={found.error && found.error.status < 500 ? found.error : null} advice={found.data?.advice ?? []} names={names.data} onFilter={value => setQuery({ q: value || null })} /></div>
                    <ColumnPicker names={names.data} wanted={wanted} onChange={next => { keep(`table.${id}`, next.join(",")); setQuery({ columns: next.join(",") }) }} />
                    <label className="label">Group by <select className="select" value={group ?? ""} onChange={event => setQuery({ group: event.target.value || null })}>
                        <option value="">nothing</option>{different.some(isSeedName) && <option value="seeds">all but seeds</option>}{different.map(name => <option key={name}>{name}</option>)}
                    </select></label>
                    <button className="button" aria-pressed={onlyDifferent} onClick={() => setOnlyDifferent(!onlyDifferent)}>Differences only</button>
                    <span className="grow" />
                    {picked.size > 0 ? (
                        <>
                            <span className="muted num">{formatCount(picked.size)} picked</span>
                            <button className="button" disabled={picked.size < 2 || picked.size > 50} onClick={() => navigate(`/compare?runs=${Array.from(picked).join(",")}`)}>Compare</button>
                            <button className="button" onClick={() => tagRuns(Array.from(picked), lookAgain)}>Tag</button><button className="button" onClick={() => archiveRuns(rows.filter(row => picked.has(row.id)), isDone)}>Archive</button><button className="button" onClick={() => deleteRuns(Array.from(picked), isDone)}>Delete</button>
                        </>
                    ) : <span className="muted num">{found.data && (rows.length < found.data.total ? `${formatCount(rows.length)} of ${plural(found.data.total, "run")}` : plural(found.data.total, "run"))}</span>}
                    <button className="button" onClick={() => download("runs.csv", "text/csv", csvOf(rows, columns.filter(column => !column.id.startsWith("curve."))))}>CSV</button>
                </div>
                {found.error && found.error.status >= 500 ? <Failure error={found.error} again={lookAgain} /> : names.error ? <Failure error={names.error} /> : found.isLoading && rows.length === 0 ? <Skeleton rows={16} />
                    : rows.length === 0 ? (found.error ? <p className="empty">The filter is not understood yet; what is wrong stands below it.</p> : filter ? <p className="empty">No run fits this filter. <button className="plain-link text" onClick={() => setQuery({ q: null })}>Show all</button></p> : <FirstSteps experiment={id} />)
                    : groups ? <GroupTable groups={groups} columns={shownColumns} theme={theme} />
                    : <VirtualGrid id={id} rows={rows} columns={shownColumns} height={height} theme={theme} order={order} picked={picked} setPicked={setPicked} />}
            </main>
        </ExperimentFrame>
    )
}

interface GridProps { id: string; rows: RunRow[]; columns: Column[]; height: number; theme: string; order: string; picked: Set<string>; setPicked: (picked: Set<string>) => void }

const firstWidth = 250
const sparkBuckets = 40

/** What is likely to have been logged step by step. */
function isSparked(name: string): boolean {
    return /loss|acc|reward|score|perplexity/i.test(name) && !name.startsWith("system/")
}

function VirtualGrid({ id, rows, columns, height, theme, order, picked, setPicked }: GridProps): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    const [view, setView] = useState({ top: 0, left: 0, width: 1200, height: 700 })
    const [widths, setWidths] = useState<Record<string, number>>(() => JSON.parse(kept(`widths.${id}`, "{}")) as Record<string, number>)
    const [lit, setLit] = useState(-1)
    const anchor = useRef(-1)
    useEffect(() => {
        const element = box.current
        if (!element) return undefined
        const look = (): void => setView({ top: element.scrollTop, left: element.scrollLeft, width: element.clientWidth, height: element.clientHeight })
        look()
        const observer = new ResizeObserver(look)
        observer.observe(element)
        return () => observer.disconnect()
    }, [])
    const widthOf = (column: Column): number => widths[column.id] ?? (column.id === "started" ? 120 : Math.max(96, Math.min(200, column.name.length * 7.5 + 34)))
    const places = useMemo(() => {
        let left = firstWidth
        return columns.map(column => {
            const place = { column, left, width: widthOf(column) }
            left += place.width
            return place
        })
        // eslint-disable-next-line
    }, [columns, widths])
    // Curves of the rows where scrolling rests: what flies by is not asked for.
    const sparked = useMemo(() => columns.filter(column => column.id.startsWith("curve.")).map(column => column.id.slice(6)), [columns])
    const [resting, setResting] = useState<string[]>([])
    const total = places.length ? places[places.length - 1]!.left + places[places.length - 1]!.width : firstWidth
    const inSight = places.filter(place => place.left + place.width > view.left + firstWidth - 200 && place.left < view.left + view.width + 200)
    const before = inSight[0] ? inSight[0].left - firstWidth : 0
    const first = Math.max(0, Math.floor(view.top / height) - 4)
    const shown = rows.slice(first, first + Math.ceil(view.height / height) + 8)
    const seen = shown.map(row => row.id).join(",")
    useEffect(() => {
        if (sparked.length === 0) return undefined
        const timer = window.setTimeout(() => setResting(seen ? seen.split(",") : []), resting.length ? 120 : 0)
        return () => window.clearTimeout(timer)
        // eslint-disable-next-line
    }, [seen, sparked.length > 0])
    const curves = useCurves(resting, sparked, "step", null, sparkBuckets, sparked.length > 0)
    const [by, direction] = order.split(/:(?=[^:]*$)/)
    const sortBy = (column: string): void => setQuery({ sort: by !== column ? `${column}:desc` : direction === "desc" ? `${column}:asc` : null })
    const pick = (index: number, isRange: boolean): void => {
        const next = new Set(picked)
        const run = rows[index]!.id
        if (isRange && anchor.current >= 0) {
            for (let at = Math.min(anchor.current, index); at <= Math.max(anchor.current, index); at += 1) next.add(rows[at]!.id)
        } else if (!next.delete(run)) next.add(run)
        anchor.current = index
        setPicked(next)
    }
    const resize = (event: PointerEvent<HTMLElement>, column: Column): void => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
        const next = { ...widths, [column.id]: Math.max(60, widthOf(column) + event.movementX) }
        setWidths(next)
        keep(`widths.${id}`, JSON.stringify(next))
    }
    return (
        <div
            className="vgrid" ref={box} role="grid" aria-label="Runs" aria-rowcount={rows.length + 1} aria-colcount={columns.length + 1} tabIndex={0}
            onScroll={event => setView({ top: event.currentTarget.scrollTop, left: event.currentTarget.scrollLeft, width: event.currentTarget.clientWidth, height: event.currentTarget.clientHeight })}
            onKeyDown={event => {
                if (event.target !== event.currentTarget && event.key === "Enter") return
                if (event.key === "ArrowDown" || event.key === "ArrowUp") {
                    const next = Math.max(0, Math.min(rows.length - 1, lit + (event.key === "ArrowDown" ? 1 : -1)))
                    setLit(next)
                    const element = event.currentTarget
                    if (next * height < element.scrollTop) element.scrollTop = next * height
                    if ((next + 3) * height > element.scrollTop + element.clientHeight) element.scrollTop = (next + 3) * height - element.clientHeight
                } else if (event.key === "Enter" && rows[lit]) navigate(`/runs/${rows[lit]!.id}`)
                else if (event.key === "x" && rows[lit]) pick(lit, event.shiftKey)
                else return
                event.preventDefault()
            }}>
            <div style={{ height: rows.length * height + 32, width: total, position: "relative" }} role="presentation">
                <div className="vhead" role="row" aria-rowindex={1} style={{ width: total }}>
                    <div className="vcell pinned" role="columnheader" style={{ width: firstWidth }}>
                        <input type="checkbox" aria-label="Pick all" checked={picked.size === rows.length && rows.length > 0} onChange={event => setPicked(event.target.checked ? new Set(rows.map(row => row.id)) : new Set())} />Run
                    </div>
                    <div style={{ width: before, flex: "none" }} role="presentation" />
                    {inSight.map(({ column, width }) => (
                        <div key={column.id} role="columnheader" className={`vcell${column.isNumber || rows.slice(0, 30).some(row => typeof row.params[column.id.slice(7)] === "number") ? " r" : ""}`} style={{ width }} aria-sort={by === column.id ? (direction === "asc" ? "ascending" : "descending") : "none"}>
                            <button className="sort cut" title={column.id} onClick={() => sortBy(column.id.replace(/^curve\./, "metrics."))}>{column.name}{by === column.id && (direction === "asc" ? " ▲" : " ▼")}</button>
                            <span className="edge" onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)} onPointerMove={event => resize(event, column)} />
                        </div>
                    ))}
                </div>
                {shown.map((row, index) => {
                    const at = first + index
                    return (
                        <div key={index} className={`vrow${at === lit ? " lit" : ""}`} role="row" aria-rowindex={at + 2} aria-selected={picked.has(row.id)} style={{ top: 32 + at * height, width: total }}>
                            <div className="vcell pinned" role="gridcell" style={{ width: firstWidth }}>
                                <input type="checkbox" aria-label={`Pick ${row.name}`} checked={picked.has(row.id)} onChange={event => pick(at, (event.nativeEvent as MouseEvent).shiftKey)} />
                                <i style={{ width: 9, height: 9, borderRadius: 3, flex: "none", background: strokeOf(row.number, theme).colour }} />
                                <Link className="cut" to={`/runs/${row.id}`} title={row.name}>{row.name}</Link>{row.name !== row.shortID && <span className="muted">{row.shortID}</span>}
                            </div>
                            <div style={{ width: before, flex: "none" }} role="presentation" />
                            {inSight.map(({ column, width }) => <div key={column.id} role="gridcell" className={`vcell${column.isNumber || typeof row.params[column.id.slice(7)] === "number" ? " r" : ""}`} style={{ width }}>{column.id.startsWith("curve.") ? <Spark curve={curves.of(row.id, column.id.slice(6))} metric={column.name} colour={strokeOf(row.number, theme).colour} /> : cell(row, column)}</div>)}
                        </div>
                    )
                })}
            </div>
        </div>
    )
}

function cell(row: RunRow, column: Column): JSX.Element {
    if (column.id === "state") return <StateWord state={row.state} status={row.status} />
    if (column.id.startsWith("tags.")) return <span className="cut">{row.tags[column.id.slice(5)] ?? "–"}</span>
    const title = column.id.startsWith("metrics.") ? exactNumber(row.metrics[column.id.slice(8)]) : column.id === "started" ? fullTime(row.start) : undefined
    return <span className="cut" title={title ?? valueOf(row, column.id)}>{valueOf(row, column.id)}</span>
}

function GroupTable({ groups, columns, theme }: { groups: ReturnType<typeof groupRuns>; columns: Column[]; theme: string }): JSX.Element {
    const metrics = columns.filter(column => column.id.startsWith("metrics."))
    return (
        <div style={{ overflow: "auto", flex: 1 }} tabIndex={0} role="region" aria-label="Groups">
            <table className="plain">
                <thead><tr><th>Group</th><th className="r">n</th>{metrics.map(column => <th key={column.id} className="r">{column.name} (mean ± std)</th>)}</tr></thead>
                <tbody>{groups.map(group => (
                    <tr key={group.key}>
                        <td style={{ whiteSpace: "nowrap" }}><i style={{ display: "inline-block", width: 9, height: 9, borderRadius: 3, marginRight: 8, background: strokeOf(group.number, theme).colour }} />{group.label}</td><td className="r">{group.members.length}</td>
                        {metrics.map(column => {
                            const values = group.members.map(row => row.metrics[column.id.slice(8)]).filter((value): value is number => value != null && Number.isFinite(value))
                            const mean = values.reduce((sum, value) => sum + value, 0) / values.length
                            const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1))
                            return <td key={column.id} className="r">{values.length === 0 ? "–" : <>{formatNumber(mean)} <span className="muted">{values.length > 1 && `± ${formatNumber(deviation, 2)}`}{values.length < group.members.length && ` · n ${values.length}`}</span></>}</td>
                        })}
                    </tr>
                ))}</tbody>
            </table>
        </div>
    )
}

function ColumnPicker({ names, wanted, onChange }: { names: LoggedNames | undefined; wanted: string[]; onChange: (columns: string[]) => void }): JSX.Element {
    const [isOpen, setOpen] = useState(false)
    const [search, setSearch] = useState("")
    const every = [...plain.map(column => column.id), ...(names?.metrics ?? []).map(name => `metrics.${name}`), ...(names?.metrics ?? []).map(name => `curve.${name}`), ...(names?.params ?? []).map(name => `params.${name}`), ...(names?.tags ?? []).map(name => `tags.${name}`)]
    const shown = every.filter(name => name.toLowerCase().includes(search.toLowerCase())).slice(0, 200)
    return (
        <span className="with-menu">
            <button className="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}><Icon name="columns" />Columns <span className="muted num">{wanted.length}</span></button>
            {isOpen && <div className="scrim" style={{ background: "none" }} onClick={() => setOpen(false)} />}
            {isOpen && (
                <div className="menu" style={{ left: 0, right: "auto", width: 300, zIndex: 41 }}>
                    <label className="field" style={{ margin: 4 }}><Icon name="search" /><span className="hidden">Search columns</span><input autoFocus type="search" placeholder="Search columns" value={search} onChange={event => setSearch(event.target.value)} onKeyDown={event => event.key === "Escape" && setOpen(false)} /></label>
                    <div style={{ maxHeight: 340, overflow: "auto" }}>{shown.map(name => (
                        <label key={name} style={{ display: "flex", gap: 8, padding: "4px 9px", alignItems: "center" }}><input type="checkbox" checked={wanted.includes(name)} onChange={() => onChange(wanted.includes(name) ? wanted.filter(one => one !== name) : [...wanted, name])} /><span className="cut">{name}</span></label>
                    ))}</div>
                </div>
            )}
        </span>
    )
}

function csvOf(rows: RunRow[], columns: Column[]): string {
    const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text)
    const full = (row: RunRow, column: string): string => column.startsWith("metrics.") ? (row.metrics[column.slice(8)] == null ? "" : exactNumber(row.metrics[column.slice(8)])) : column === "started" ? new Date(row.start).toISOString() : column === "duration" ? String(((row.end ?? Date.now()) - row.start) / 1000)
        : column.startsWith("params.") ? String(row.params[column.slice(7)] ?? "") : column.startsWith("tags.") ? row.tags[column.slice(5)] ?? "" : valueOf(row, column)
    return [["id", "run", ...columns.map(column => column.id)].map(quoted).join(","), ...rows.map(row => [row.id, row.name, ...columns.map(column => full(row, column.id))].map(quoted).join(","))].join("\n") + "\n"
}
