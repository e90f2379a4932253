// The card around a chart that is one drawing: its name, its choices, what was left out, a table of the same, and files
// of it.
import { type PointerEvent, type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react"
import { Menu, download } from "../ui/parts"
import { type Ink, inkOf } from "./ink"
import { type Paper, SvgPaper } from "./paper"
import { saveCanvas } from "./picture"
import { useWidth } from "./width"

export interface Room { width: number; height: number }

export interface Sheet { head: string[]; rows: (string | number)[][] }

/** What lies beneath the pointer, and where. */
export interface Spot { x: number; y: number; content: ReactNode; open?: () => void }

interface Props {
    name: string
    height: number
    theme: string
    /** Draws onto either paper; called again when the window changes. */
    draw: (paper: Paper, room: Room, ink: Ink) => void
    find?: (x: number, y: number, room: Room) => Spot | null
    /** What is drawn, in words. */
    label: string
    sheet: () => Sheet
    choices?: ReactNode
    /** How many runs are in it, and what is not. */
    foot: ReactNode
    /** Stands in place of the chart, where there is nothing to draw. */
    empty?: ReactNode
}

export function Drawing(props: Props): JSX.Element {
    const { name, height, theme, draw, find } = props
    const box = useRef<HTMLDivElement>(null)
    const canvas = useRef<HTMLCanvasElement>(null)
    const [spot, setSpot] = useState<Spot | null>(null)
    const [isTable, setTable] = useState(false)
    const isShown = !props.empty && !isTable
    const width = useWidth(box, isShown)
    useLayoutEffect(() => {
        const context = canvas.current?.getContext("2d")
        if (!context || !canvas.current || !box.current || width < 80) return
        const ratio = window.devicePixelRatio || 1
        canvas.current.width = Math.round(width * ratio)
        canvas.current.height = Math.round(height * ratio)
        context.setTransform(ratio, 0, 0, ratio, 0, 0)
        context.clearRect(0, 0, width, height)
        draw(context, { width, height }, inkOf(box.current))
    }, [draw, width, height, theme, isShown])
    const look = (event: PointerEvent): void => {
        if (!find || !box.current) return
        const bounds = box.current.getBoundingClientRect()
        setSpot(find(event.clientX - bounds.left, event.clientY - bounds.top, { width, height }))
    }
    const file = name.replace(/[^\w.-]+/g, "_")
    const svg = (): string => {
        const paper = new SvgPaper(width, height)
        const ink = inkOf(box.current!)
        draw(paper, { width, height }, ink)
        return paper.text(props.label, ink.ground)
    }
    return (
        <section className="card stat" aria-label={name}>
            <div className="stat-head"><h2 className="cut grow">{name}</h2>{props.choices}
                {!props.empty && (
                    <Menu label={`More of ${name}`} icon="more">
                        <button onClick={() => setTable(!isTable)}>{isTable ? "Show as chart" : "Show as table"}</button>
                        <hr />
                        <button onClick={() => download(`${file}.csv`, "text/csv", csvOf(props.sheet()))}>Save as CSV</button>
                        {!isTable && <button onClick={() => canvas.current && saveCanvas(canvas.current, box.current!, `${file}.png`)}>Save as PNG</button>}
                        {!isTable && <button onClick={() => download(`${file}.svg`, "image/svg+xml", svg())}>Save as SVG</button>}
                    </Menu>
                )}
            </div>
            {props.empty ? <div className="chart-empty">{props.empty}</div>
                : isTable ? <SheetTable name={name} sheet={props.sheet} height={height} />
                : (
                    <div className="chart" ref={box} style={{ height }} role="img" aria-label={props.label}>
                        <canvas ref={canvas} style={{ width, height, cursor: spot?.open ? "pointer" : "default" }} onPointerMove={look} onPointerLeave={() => setSpot(null)} onClick={() => spot?.open?.()} />
                        {spot && <div className="readout here" style={{ left: spot.x > width * 0.6 ? undefined : spot.x + 14, right: spot.x > width * 0.6 ? width - spot.x + 14 : undefined, top: Math.max(0, Math.min(height - 60, spot.y - 20)) }}>{spot.content}</div>}
                    </div>
                )}
            <p className="stat-foot">{props.foot}</p>
        </section>
    )
}

const tableMax = 500

function SheetTable({ name, sheet, height }: { name: string; sheet: () => Sheet; height: number }): JSX.Element {
    const { head, rows } = useMemo(sheet, [sheet])
    return (
        <div className="points" style={{ height, maxHeight: height }} tabIndex={0} role="region" aria-label={`Values of ${name}`}>
            <table className="plain">
                <thead><tr>{head.map((one, index) => <th key={index} className={typeof rows[0]?.[index] === "number" ? "r" : undefined}>{one}</th>)}</tr></thead>
                <tbody>{rows.slice(0, tableMax).map((row, index) => <tr key={index}>{row.map((cell, place) => <td key={place} className={typeof cell === "number" ? "r" : undefined}>{typeof cell === "number" ? (Number.isFinite(cell) ? Number(cell.toPrecision(7)) : "–") : cell}</td>)}</tr>)}</tbody>
            </table>
            {rows.length > tableMax && <p className="muted" style={{ padding: 8 }}>{tableMax} of {rows.length} rows; the CSV has all.</p>}
        </div>
    )
}

export function csvOf({ head, rows }: Sheet): string {
    const cell = (value: string | number): string => (typeof value === "number" ? String(value) : /[",\n]/.test(value) ? `"${value.replace(/"/g, '""')}"` : value)
    return [head, ...rows].map(row => row.map(cell).join(",")).join("\n") + "\n"
}
