// The list beside the panels: each run or group with its colour, an eye, its state and two chosen columns. Only rows in
// sight are in the page.
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react"
import type { ApiError } from "../api/client"
import type { LoggedNames } from "../api/types"
import { Link, setQuery } from "../app/router"
import { rowHeight, useDensity } from "../app/theme"
import { strokeOf } from "../charts/palette"
import { formatAgo, formatCount, formatDuration, formatNumber, formatValue, plural } from "../ui/format"
import { useLater } from "../ui/later"
import { Icon, Menu, Skeleton } from "../ui/parts"
import { FilterField } from "./FilterField"
import { type Group, type RunRow, labelOf } from "./runs"

interface Props {
    rows: RunRow[]
    total: number
    isLoading: boolean
    error: ApiError | null
    filter: string
    advice: string[]
    groups: Group[] | null
    canGroup: boolean
    by: string[] | null
    different: string[]
    visible: Set<string>
    setVisible: (visible: Set<string>) => void
    columns: string[]
    setColumns: (columns: string[]) => void
    names: LoggedNames | undefined
    theme: string
    highlight: string | null
    onHighlight: (key: string | null) => void
    params: string[]
    grip: JSX.Element
}

type Entry = { kind: "group"; group: Group } | { kind: "run"; row: RunRow; isMember: boolean }

export function RunList(props: Props): JSX.Element {
    const { rows, groups, visible, setVisible } = props
    const height = rowHeight[useDensity()]
    const [open, setOpen] = useState<Set<string>>(new Set())
    const [scroll, setScroll] = useState({ top: 0, height: 800 })
    const list = useRef<HTMLDivElement>(null)
    const entries = useMemo(() => {
        const made: Entry[] = []
        if (groups) {
            for (const group of groups) {
                made.push({ kind: "group", group })
                if (open.has(group.key)) made.push(...group.members.map(row => ({ kind: "run" as const, row, isMember: true })))
            }
        } else made.push(...rows.map(row => ({ kind: "run" as const, row, isMember: false })))
        return made
    }, [rows, groups, open])
    useEffect(() => {
        const element = list.current
        if (!element) return undefined
        const look = (): void => setScroll({ top: element.scrollTop, height: element.clientHeight })
        look()
        const observer = new ResizeObserver(look)
        observer.observe(element)
        return () => observer.disconnect()
    }, [])
    const first = Math.max(0, Math.floor(scroll.top / height) - 4)
    const shown = entries.slice(first, first + Math.ceil(scroll.height / height) + 8)
    const toggle = (ids: string[], alone: boolean): void => {
        const isOn = ids.some(id => visible.has(id))
        const next = new Set(alone ? [] : visible)
        ids.forEach(id => next.delete(id))
        if (!isOn || alone) next.add(ids[0]!)
        setVisible(next)
    }
    const everyone = groups ? groups.map(group => group.members[0]!.shortID) : rows.map(row => row.shortID)
    const shownCount = groups ? groups.filter(group => group.members.some(row => visible.has(row.shortID))).length : rows.filter(row => visible.has(row.shortID)).length
    const onKeys = (event: KeyboardEvent): void => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
        const buttons = Array.from(list.current?.querySelectorAll<HTMLElement>(".eye") ?? [])
        const at = buttons.indexOf(document.activeElement as HTMLElement)
        buttons[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus()
        event.preventDefault()
    }
    return (
        <aside className="runs" aria-label="Runs">
            {props.grip}
            <div className="runs-head">
                <div className="runs-bar">
                    <div className="grow"><FilterField filter={props.filter} error={props.error} advice={props.advice} names={props.names} onFilter={value => setQuery({ q: value || null, show: null })} /></div>
                    <Menu label="Which runs are visible" icon="more">
                        <button onClick={() => setQuery({ show: null })}>Newest ten</button>
                        <button onClick={() => setVisible(new Set(everyone.slice(0, 200)))}>{everyone.length > 200 ? "First 200" : "All"}</button>
                        <button onClick={() => setVisible(new Set())}>None</button>
                        {props.different.length > 0 && <hr />}
                        {props.different.slice(0, 8).map(key => <button key={key} onClick={() => setQuery({ group: key, show: null })}>Group by {key}</button>)}
                        {groups && <button onClick={() => setQuery({ group: "none", show: null })}>No groups</button>}
                    </Menu>
                </div>
                {(props.canGroup || groups) && (
                    <div className="runs-bar">
                        <button className="button" aria-pressed={groups !== null} title={groups ? `Grouped by ${props.by?.join(", ") || "nothing"}` : "These runs differ only in seeds"} onClick={() => setQuery({ group: groups ? "none" : null, show: null })}>
                            <Icon name="group" />Group seeds
                        </button>
                    </div>
                )}
            </div>
            <div className="runs-cols">
                <span /><span>{groups ? "Group" : "Run"}</span>
                {[0, 1].map(index => (
                    <ColumnChoice key={index} value={props.columns[index] ?? ""} names={props.names} different={props.params} onChange={value => {
                        const next = [...props.columns]
                        next[index] = value
                        props.setColumns(next)
                    }} />
                ))}
            </div>
            <div className="runs-list" role="grid" tabIndex={0} aria-label="Runs" aria-rowcount={entries.length} ref={list} onKeyDown={onKeys} onScroll={event => setScroll({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}>
                {props.isLoading && <Skeleton rows={12} />}
                <div style={{ height: entries.length * height }} role="presentation">
                    {shown.map((entry, index) => {
                        const top = (first + index) * height
                        if (entry.kind === "group") {
                            const { group } = entry
                            const isOn = group.members.some(row => visible.has(row.shortID))
                            const isOpen = open.has(group.key)
                            return (
                                <div key={group.key} role="row" aria-rowindex={first + index + 1} style={{ top }} className={`run-row${isOn ? "" : " off"}${props.highlight === group.key ? " lit" : ""}`}
                                    onPointerEnter={() => props.onHighlight(isOn ? group.key : null)} onPointerLeave={() => props.onHighlight(null)}>
                                    <span role="gridcell"><Eye isOn={isOn} label={group.label} number={group.number} theme={props.theme} onClick={alone => toggle(group.members.map(row => row.shortID), alone)} /></span>
                                    <span role="gridcell" className="run-name">
                                        <button className="button quiet icon" style={{ width: 18, height: 22 }} aria-expanded={isOpen} aria-label={`Members of ${group.label}`} onClick={() => setOpen(old => {
                                            const next = new Set(old)
                                            if (!next.delete(group.key)) next.add(group.key)
                                            return next
                                        })}><span style={{ display: "inline-flex", transform: isOpen ? "rotate(90deg)" : undefined }}><Icon name="chevron" /></span></button>
                                        <span className="cut" title={group.label}>{group.short}</span><small className="num">n&nbsp;{group.members.length}</small>
                                    </span>
                                    {[0, 1].map(at => <Cell key={at} text={groupValue(group, props.columns[at] ?? "")} />)}
                                </div>
                            )
                        }
                        const { row, isMember } = entry
                        const isOn = visible.has(row.shortID)
                        const label = isMember ? "" : labelOf(row, props.params, 4, true)
                        return (
                            <div key={row.id} role="row" aria-rowindex={first + index + 1} style={{ top }} className={`run-row${isMember ? " member" : isOn ? "" : " off"}${props.highlight === row.id ? " lit" : ""}`}
                                onPointerEnter={() => props.onHighlight(isOn && !isMember ? row.id : null)} onPointerLeave={() => props.onHighlight(null)}>
                                <span role="gridcell">{!isMember && <Eye isOn={isOn} label={row.name} number={row.number} theme={props.theme} onClick={alone => toggle([row.shortID], alone)} />}</span>
                                <span role="gridcell" className="run-name">
                                    <i className={`dot ${row.state}`} title={row.state} /><span className="hidden">{row.state}</span>
                                    <Link to={`/runs/${row.id}`} className="cut" title={`${row.name}, ${row.state}${label ? `, ${label}` : ""}`}>{row.name}{label && <small> {label}</small>}</Link>
                                </span>
                                {[0, 1].map(at => <Cell key={at} text={valueOf(row, props.columns[at] ?? "")} />)}
                            </div>
                        )
                    })}
                </div>
                {!props.isLoading && rows.length === 0 && !props.error && <p className="empty">{props.filter ? <>No run fits this filter. <button className="plain-link text" onClick={() => setQuery({ q: null, show: null })}>Show all</button></> : "No runs yet."}</p>}
            </div>
            <div className="runs-foot num">
                <span>{formatCount(shownCount)} of {groups ? plural(groups.length, "group") : plural(rows.length, "run")} visible</span>
                {props.total > rows.length && <span>newest {formatCount(rows.length)} of {formatCount(props.total)}</span>}
            </div>
        </aside>
    )
}

function Eye({ isOn, label, number, theme, onClick }: { isOn: boolean; label: string; number: number; theme: string; onClick: (alone: boolean) => void }): JSX.Element {
    return (
        <button className={isOn ? "eye on" : "eye"} aria-pressed={isOn} aria-label={`Show ${label}`} title="Show or hide; with Alt, show this alone" onClick={event => onClick(event.altKey)}>
            <i style={isOn ? { background: strokeOf(number, theme).colour } : { borderColor: strokeOf(number, theme).colour }} />
        </button>
    )
}

function Cell({ text }: { text: string }): JSX.Element {
    return <span role="gridcell" className="v cut" title={text}>{text}</span>
}

function ColumnChoice({ value, names, different, onChange }: { value: string; names: LoggedNames | undefined; different: string[]; onChange: (value: string) => void }): JSX.Element {
    const params = names?.params ?? []
    // Hundreds of options that nobody has opened yet.
    const isLater = useLater()
    const [kind, name] = value.split(/\.(.*)/s)
    if (!isLater) return <select aria-label="Column" value={value} onChange={event => onChange(event.target.value)}><option value={value}>{kind === "metrics" || kind === "params" ? name : value}</option></select>
    return (
        <select aria-label="Column" value={value} onChange={event => onChange(event.target.value)}>
            {["duration", "started", "state", "user"].map(name => <option key={name} value={name}>{name}</option>)}
            <optgroup label="Metrics">{(names?.metrics ?? []).slice(0, 800).map(name => <option key={name} value={`metrics.${name}`}>{name}</option>)}</optgroup>
            <optgroup label="Params">{[...params].sort((a, b) => Number(different.includes(b)) - Number(different.includes(a))).slice(0, 400).map(name => <option key={name} value={`params.${name}`}>{name}</option>)}</optgroup>
        </select>
    )
}

export function valueOf(row: RunRow, column: string): string {
    if (column === "duration") return formatDuration(((row.end ?? Date.now()) - row.start) / 1000)
    if (column === "started") return formatAgo(row.start)
    if (column === "state") return row.state
    if (column === "user") return row.user ?? "–"
    if (column.startsWith("metrics.")) return formatNumber(row.metrics[column.slice(8)])
    if (column.startsWith("params.")) return formatValue(row.params[column.slice(7)])
    return ""
}

/** The mean of a metric over the members that have a finite one; what all members share, else a dash. */
function groupValue(group: Group, column: string): string {
    if (column.startsWith("metrics.")) {
        const values = group.members.map(row => row.metrics[column.slice(8)]).filter((value): value is number => value != null && Number.isFinite(value))
        return values.length ? formatNumber(values.reduce((sum, value) => sum + value, 0) / values.length) : "–"
    }
    if (column === "duration") {
        const total = group.members.reduce((sum, row) => sum + ((row.end ?? Date.now()) - row.start) / 1000, 0)
        return formatDuration(total / group.members.length)
    }
    const texts = new Set(group.members.map(row => valueOf(row, column)))
    return texts.size === 1 ? Array.from(texts)[0]! : `${texts.size} kinds`
}
