// The rows of the runs' table: only cells in sight are in the page, and a row is made anew only when something of it has changed.
import { type PointerEvent, memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { Link, navigate, setQuery } from "../../app/router"
import { keep, kept } from "../../app/theme"
import type { Curve } from "../../charts/curve"
import { useCurves } from "../../charts/curves"
import { strokeOf } from "../../charts/palette"
import { Spark } from "../../charts/Spark"
import { exactNumber, fullTime } from "../../ui/format"
import { StateWord } from "../../ui/parts"
import { valueOf } from "../RunList"
import type { RunRow } from "../runs"
import type { Column } from "./columns"

interface GridProps { id: string; rows: RunRow[]; columns: Column[]; height: number; theme: string; order: string; picked: Set<string>; setPicked: (picked: Set<string>) => void }

interface Place { column: Column; left: number; width: number }
interface View { top: number; left: number; width: number; height: number }

const firstWidth = 250
const headHeight = 32
const sparkBuckets = 40

/** Which rows and columns are in sight, with some around them. */
function windowOf(view: View, places: Place[], height: number): { first: number; end: number; from: number; to: number } {
    const first = Math.max(0, Math.floor(view.top / height) - 4)
    const isIn = (place: Place): boolean => place.left + place.width > view.left + firstWidth - 200 && place.left < view.left + view.width + 200
    const from = places.findIndex(isIn)
    let to = Math.max(from, 0)
    while (to < places.length && isIn(places[to]!)) to += 1
    return { first, end: first + Math.ceil(view.height / height) + 8, from: Math.max(from, 0), to }
}

export function RunGrid({ id, rows, columns, height, theme, order, picked, setPicked }: GridProps): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    // Near enough for the first picture; measured before it is painted.
    const [view, setView] = useState<View>(() => ({ top: 0, left: 0, width: window.innerWidth, height: window.innerHeight - 102 }))
    const [widths, setWidths] = useState<Record<string, number>>(() => JSON.parse(kept(`widths.${id}`, "{}")) as Record<string, number>)
    const [lit, setLit] = useState(-1)
    const anchor = useRef(-1)
    const widthOf = (column: Column): number => widths[column.id] ?? (column.id === "started" ? 120 : Math.max(96, Math.min(200, column.name.length * 7.5 + 34)))
    const places = useMemo(() => {
        let left = firstWidth
        return columns.map((column): Place => {
            const place = { column, left, width: widthOf(column) }
            left += place.width
            return place
        })
        // eslint-disable-next-line
    }, [columns, widths])
    const newest = useRef({ places, height })
    newest.current = { places, height }
    const look = (): void => {
        const element = box.current
        if (!element) return
        const next = { top: element.scrollTop, left: element.scrollLeft, width: element.clientWidth, height: element.clientHeight }
        const [a, b] = [view, next].map(one => windowOf(one, newest.current.places, newest.current.height))
        // What shows the same rows and columns is no reason to draw.
        setView(old => (old === view && a!.first === b!.first && a!.end === b!.end && a!.from === b!.from && a!.to === b!.to ? old : next))
    }
    const looking = useRef(look)
    looking.current = look
    useLayoutEffect(() => look(), [])
    useEffect(() => {
        const observer = new ResizeObserver(() => looking.current())
        observer.observe(box.current!)
        return () => observer.disconnect()
    }, [])
    // Curves of the rows where scrolling rests: what flies by is not asked for.
    const sparked = useMemo(() => columns.filter(column => column.id.startsWith("curve.")).map(column => column.id.slice(6)), [columns])
    const [resting, setResting] = useState<string[]>([])
    const total = places.length ? places[places.length - 1]!.left + places[places.length - 1]!.width : firstWidth
    const { first, end, from, to } = windowOf(view, places, height)
    const inSight = useMemo(() => places.slice(from, to), [places, from, to])
    const before = inSight[0] ? inSight[0].left - firstWidth : 0
    const shown = rows.slice(first, end)
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
    const picking = useRef(pick)
    picking.current = pick
    const [onPick] = useState(() => (index: number, isRange: boolean) => picking.current(index, isRange))
    const resize = (event: PointerEvent<HTMLElement>, column: Column): void => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
        const next = { ...widths, [column.id]: Math.max(60, widthOf(column) + event.movementX) }
        setWidths(next)
        keep(`widths.${id}`, JSON.stringify(next))
    }
    return (
        <div
            className="vgrid" ref={box} role="grid" aria-label="Runs" aria-rowcount={rows.length + 1} aria-colcount={columns.length + 1} tabIndex={0}
            onScroll={look}
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
            <div style={{ height: rows.length * height + headHeight, width: total, position: "relative" }} role="presentation">
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
                {shown.map((row, index) => (
                    <Row key={index} row={row} at={first + index} top={headHeight + (first + index) * height} total={total} before={before} places={inSight} theme={theme}
                        isLit={first + index === lit} isPicked={picked.has(row.id)} onPick={onPick} curves={sparked.map(metric => curves.of(row.id, metric))} sparked={sparked} />
                ))}
            </div>
        </div>
    )
}

interface RowProps {
    row: RunRow
    at: number
    top: number
    total: number
    before: number
    places: Place[]
    theme: string
    isLit: boolean
    isPicked: boolean
    onPick: (at: number, isRange: boolean) => void
    sparked: string[]
    curves: (Curve | null | undefined)[]
}

function isSame(old: RowProps, next: RowProps): boolean {
    return (Object.keys(next) as (keyof RowProps)[]).every(name => name === "curves" || old[name] === next[name])
        && old.curves.length === next.curves.length && old.curves.every((curve, index) => curve === next.curves[index])
}

const Row = memo(({ row, at, top, total, before, places, theme, isLit, isPicked, onPick, sparked, curves }: RowProps): JSX.Element => {
    const { colour } = strokeOf(row.number, theme)
    return (
        <div className={`vrow${isLit ? " lit" : ""}`} role="row" aria-rowindex={at + 2} aria-selected={isPicked} style={{ top, width: total }}>
            <div className="vcell pinned" role="gridcell" style={{ width: firstWidth }}>
                <input type="checkbox" aria-label={`Pick ${row.name}`} checked={isPicked} onChange={event => onPick(at, (event.nativeEvent as MouseEvent).shiftKey)} />
                <i style={{ width: 9, height: 9, borderRadius: 3, flex: "none", background: colour }} />
                <Link className="cut" to={`/runs/${row.id}`} title={row.name}>{row.name}</Link>{row.name !== row.shortID && <span className="muted">{row.shortID}</span>}
            </div>
            {before > 0 && <div style={{ width: before, flex: "none" }} role="presentation" />}
            {places.map(({ column, width }) => {
                if (column.id === "state") return <div key={column.id} role="gridcell" className="vcell" style={{ width }}><StateWord state={row.state} status={row.status} /></div>
                if (column.id.startsWith("curve.")) {
                    const metric = column.id.slice(6)
                    return <div key={column.id} role="gridcell" className="vcell" style={{ width }}><Spark curve={curves[sparked.indexOf(metric)]} metric={column.name} colour={colour} /></div>
                }
                const [text, title] = textOf(row, column)
                return <div key={column.id} role="gridcell" className={`vcell text${column.isNumber || typeof row.params[column.id.slice(7)] === "number" ? " r" : ""}`} style={{ width }} title={title}>{text}</div>
            })}
        </div>
    )
}, isSame)

/** What stands in a cell, and what it says in full. */
function textOf(row: RunRow, column: Column): [string, string] {
    if (column.id.startsWith("tags.")) {
        const tag = row.tags[column.id.slice(5)] ?? "–"
        return [tag, tag]
    }
    const text = valueOf(row, column.id)
    return [text, column.id.startsWith("metrics.") ? exactNumber(row.metrics[column.id.slice(8)]) : column.id === "started" ? fullTime(row.start) : text]
}
