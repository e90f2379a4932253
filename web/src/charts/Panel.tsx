// A panel: one metric of the visible runs or groups, with its settings in its own menu.
import { memo, useEffect, useMemo, useRef, useState } from "react"
import { Failure, Icon, Menu, download } from "../ui/parts"
import { exactNumber, formatNumber, formatCount } from "../ui/format"
import type { Curve } from "./curve"
import { tryCurvesAgain, useCurves } from "./curves"
import { type Pin, type XKind, nearest } from "./frame"
import { inkOf } from "./ink"
import { LineChart, placeText } from "./LineChart"
import { PinForm } from "./PinForm"
import { pictureOf, saveCanvas } from "./picture"
import { type PanelSettings, type Subject, type SubjectLine, linesOf } from "./subjects"

interface Props {
    metric: string
    subjects: Subject[]
    settings: PanelSettings
    onRange: (range: [number, number] | null) => void
    theme: string
    highlight: string | null
    isStarred: boolean
    onStar: (metric: string) => void
    pins?: Pin[]
    /** Keeps a note that is pinned to a step; without it none can be written here. */
    onNote?: (metric: string, step: number, text: string) => Promise<unknown>
    height?: number
    /** Known to be in sight, so that nobody has to look. */
    isInSight?: boolean
    /** Curves that are at hand and stay as they are: then the server is not asked. */
    kept?: (run: string, metric: string) => Curve | undefined
}

const bucketCount = 300
/**
 * More lines than this stand so close that bands would hide each other, and a zoomed one needs no finer buckets; their
 * answer is large as it is.
 */
const fineRunsMax = 40

export const Panel = memo(function Panel(props: Props): JSX.Element {
    const { metric, subjects, settings, theme } = props
    const box = useRef<HTMLElement>(null)
    const [isNear, setNear] = useState(props.isInSight ?? false)
    const [isFull, setFull] = useState(false)
    const [isTable, setTable] = useState(false)
    const [noteAt, setNoteAt] = useState<number | null>(null)
    const [ownLog, setOwnLog] = useState<boolean | null>(null)
    const [ownClip, setOwnClip] = useState<boolean | null>(null)
    const isLogY = ownLog ?? settings.isLogY
    useEffect(() => {
        const element = box.current
        if (!element || props.isInSight) return undefined
        const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setNear(true), { rootMargin: "300px" })
        observer.observe(element)
        return () => observer.disconnect()
    }, [])
    useEffect(() => {
        if (!isFull) return undefined
        const close = (event: KeyboardEvent): void => {
            if (event.key === "Escape") setFull(false)
        }
        document.addEventListener("keydown", close)
        return () => document.removeEventListener("keydown", close)
    }, [isFull])

    const runs = useMemo(() => subjects.flatMap(subject => subject.runs), [subjects])
    const metrics = settings.xMetric && settings.xMetric !== metric ? [metric, settings.xMetric] : [metric]
    // A metric as x axis is no place in the store: all of it is asked for, and cut here.
    const range = settings.xMetric ? null : settings.range
    // The members of a group make one band.
    const isMany = subjects.length > fineRunsMax
    const whole = useCurves(runs, metrics, settings.axis, null, bucketCount, isNear && !props.kept, isMany)
    const part = useCurves(runs, metrics, settings.axis, range, runs.length > fineRunsMax ? bucketCount : bucketCount * 2, isNear && range !== null && !props.kept, isMany)
    const curves = range && part.isComplete ? part : whole
    const lines = useMemo(
        () => linesOf(subjects, metric, settings, theme, props.kept ?? ((run, name) => curves.of(run, name) ?? part.of(run, name))),
        // eslint-disable-next-line
        [subjects, metric, settings, theme, curves, part, props.kept],
    )
    const slash = metric.lastIndexOf("/") + 1
    if (!isNear) {
        // A page of many hundred panels: what is far away is its name and its place.
        return <section className="card panel" ref={box} aria-label={metric}><h3 className="cut panel-head">{metric}</h3></section>
    }
    const xKind: XKind = settings.xMetric ? "number" : settings.axis === "time" ? "time" : settings.axis === "relative" ? "duration" : "number"
    const xName = settings.xMetric ?? "step"
    const isWaiting = !props.kept && !whole.isComplete && lines.length === 0
    const height = isFull ? Math.max(300, window.innerHeight - 150) : props.height ?? 190
    const canNote = props.onNote !== undefined && settings.axis === "step" && !settings.xMetric && !isTable
    // Notes are pinned to steps that were logged.
    const noteNear = (x: number): void => {
        const line = lines[0]
        const at = line ? nearest(line.x, x) : -1
        setNoteAt(Math.round(at >= 0 ? line!.x[at]! : x))
    }
    const isDrawn = !isTable && lines.some(line => !line.isSingle)
    const look = { xKind, xName, isLogX: settings.isLogX, isLogY, range: settings.range, clipsOutliers: ownClip ?? settings.clipsOutliers }
    const file = metric.replace(/[^\w.-]+/g, "_")
    return (
        <>
            {isFull && <div className="scrim" onClick={() => setFull(false)} />}
            <section className={`card panel${isFull ? " full" : ""}`} ref={box} aria-label={metric}>
                <div className="panel-head">
                    <h3 className="cut grow" title={metric}><span>{metric.slice(0, slash)}</span>{metric.slice(slash)}</h3>
                    <div className="panel-tools">
                        <button className="button quiet icon" aria-pressed={isLogY} title="Logarithmic y axis" aria-label="Logarithmic y axis" onClick={() => setOwnLog(!isLogY)}>
                            <b className="num">lg</b>
                        </button>
                        <button className="button quiet icon" aria-pressed={props.isStarred} title={props.isStarred ? "No longer first" : "Show first"} aria-label="Show first" onClick={() => props.onStar(metric)}><Icon name="star" /></button>
                        <button className="button quiet icon" title={isFull ? "Smaller" : "Larger"} aria-label={isFull ? "Smaller" : "Larger"} onClick={() => setFull(!isFull)}><Icon name={isFull ? "close" : "expand"} /></button>
                        <Menu label={`More of ${metric}`} icon="more">
                            <button onClick={() => setTable(!isTable)}>{isTable ? "Show as chart" : "Show as table"}</button>
                            <button onClick={() => setOwnClip(!(ownClip ?? settings.clipsOutliers))}>{ownClip ?? settings.clipsOutliers ? "Show the full range" : "Leave outliers outside"}</button>
                            {canNote && isDrawn && <button onClick={() => noteNear(lines[0]?.x[lines[0].x.length - 1] ?? 0)}>Write a note at a step</button>}
                            <hr />
                            <button onClick={() => download(`${file}.csv`, "text/csv", csvOf(lines, xName))}>Save as CSV</button>
                            {isDrawn && <button onClick={() => { const canvas = box.current?.querySelector("canvas"); if (canvas && box.current) saveCanvas(canvas, box.current, `${file}.png`) }}>Save as PNG</button>}
                            {isDrawn && <button onClick={() => box.current && download(`${file}.svg`, "image/svg+xml", pictureOf(metric, lines, look, inkOf(box.current)))}>Save as SVG</button>}
                        </Menu>
                    </div>
                </div>
                {whole.error && lines.length === 0 && !props.kept ? <Failure error={whole.error} again={tryCurvesAgain} />
                    : isWaiting ? <div className="skeleton" style={{ height, margin: "0 4px" }} aria-busy="true" />
                    : lines.length === 0 ? <div className="chart-empty">{subjects.length === 0 ? "No run is visible." : "No visible run has logged this."}</div>
                    : lines.every(line => line.isSingle) ? <Bars lines={lines} height={height} />
                    : isTable ? <PointTable lines={lines} xKind={xKind} xName={xName} />
                    : <LineChart
                        title={metric} lines={lines} height={height} xKind={xKind} xName={xName} isLogX={settings.isLogX} isLogY={isLogY}
                        range={settings.range} onRange={props.onRange} clipsOutliers={ownClip ?? settings.clipsOutliers} theme={theme}
                        highlight={props.highlight} {...(props.pins ? { pins: props.pins } : {})} {...(canNote ? { onPick: noteNear } : {})} />}
                {noteAt !== null && canNote && <PinForm key={noteAt} metric={metric} step={noteAt} onClose={() => setNoteAt(null)} onSave={(step, text) => props.onNote!(metric, step, text)} />}
                {(props.pins ?? []).length > 0 && !isTable && (
                    <ul className="pins" aria-label="Notes on this curve">{props.pins!.map((pin, index) => <li key={index}><b className="num">step {formatCount(pin.x)}</b> {pin.text}</li>)}</ul>
                )}
                {lines.length > 1 && lines.length <= (isFull ? 16 : 4) && !isTable && !lines.every(line => line.isSingle) && (
                    <div className="legend">{lines.map(line => (
                        <span key={line.key} className="cut"><i style={{ background: line.colour }} />{line.label}{line.memberCount !== undefined && ` · n ${line.memberCount}`}</span>
                    ))}</div>
                )}
            </section>
        </>
    )
})

/** Values that each run has once are bars: a lone dot over a step says nothing. */
function Bars({ lines, height }: { lines: SubjectLine[]; height: number }): JSX.Element {
    const rows = lines.map(line => ({ line, value: line.y[line.y.length - 1]! })).sort((a, b) => b.value - a.value)
    const most = Math.max(...rows.map(row => Math.abs(row.value)).filter(Number.isFinite), 0) || 1
    return (
        <div className="points" style={{ maxHeight: height }} tabIndex={0} role="group" aria-label="Values">
            <table className="plain"><tbody>{rows.map(({ line, value }) => (
                <tr key={line.key}>
                    <td className="cut" style={{ maxWidth: 0, width: "46%" }} title={line.label}>{line.label}</td>
                    <td style={{ width: "36%" }}><div style={{ height: 10, borderRadius: 3, background: line.colour, width: `${Math.max(1, (Math.abs(value) / most) * 100)}%`, opacity: Number.isFinite(value) ? 0.85 : 0.2 }} /></td>
                    <td className="r">{formatNumber(value)}</td>
                </tr>
            ))}</tbody></table>
        </div>
    )
}

function PointTable({ lines, xKind, xName }: { lines: SubjectLine[]; xKind: XKind; xName: string }): JSX.Element {
    const shown = lines.slice(0, 8)
    const places = Array.from(new Set(shown.flatMap(line => Array.from(line.x)))).sort((a, b) => a - b)
    const every = Math.max(1, Math.ceil(places.length / 200))
    const values = shown.map(line => new Map(Array.from(line.x, (x, index) => [x, line.y[index]!])))
    return (
        <div className="points" tabIndex={0} aria-label="Values of the chart">
            <table className="plain">
                <thead><tr><th>{xKind === "number" ? xName : "time"}</th>{shown.map(line => <th key={line.key} className="r">{line.label}</th>)}</tr></thead>
                <tbody>{places.filter((_, index) => index % every === 0).map(x => (
                    <tr key={x}><td>{xKind === "number" ? formatCount(x) : placeText(x, xKind, xName)}</td>{values.map((map, index) => <td key={index} className="r">{map.has(x) ? formatNumber(map.get(x), 6) : ""}</td>)}</tr>
                ))}</tbody>
            </table>
        </div>
    )
}

function csvOf(lines: SubjectLine[], xName: string): string {
    const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text)
    const rows = [`line,${quoted(xName)},value,low,high,n`]
    for (const line of lines) {
        for (let index = 0; index < line.x.length; index += 1)
            rows.push([quoted(line.label), line.x[index], exactNumber(line.y[index]), line.low ? exactNumber(line.low[index]) : "", line.high ? exactNumber(line.high[index]) : "", line.members?.[index] ?? ""].join(","))
    }
    return rows.join("\n") + "\n"
}
