// One key: what each run has at the step, beside each other; or every step at once.
import { type RefObject, Suspense, lazy, useEffect, useMemo, useRef, useState } from "react"
import { HistogramChart, type HistogramStep, histogramOf } from "../../charts/Histogram"
import { formatCount, plural } from "../../ui/format"
import { Skeleton } from "../../ui/parts"
import { useInSight } from "../../ui/sight"
import { Gallery } from "./Gallery"
import { Legend } from "./Legend"
import { Lightbox } from "./Lightbox"
import type { ShownRun } from "./MediaSection"
import { type Look, Picture } from "./Picture"
import { Playable, Page, Words } from "./Values"
import { classesOf, overlaysOf } from "./overlays"
import { type Item, type SeriesKey, itemsAt, useItems } from "./sources"

const Tables = lazy(() => import("../table/RichTable"))
const Scene = lazy(() => import("../scene/SceneView"))
const Plot = lazy(() => import("./Plot"))

interface Props {
    series: SeriesKey
    runs: ShownRun[]
    step: number
    steps: number[]
    onStep: (by: number) => void
    onSteps: (steps: number[]) => void
    theme: string
    size: number
}

/** What fills the width instead of standing in a grid of pictures. */
const wideKinds = new Set(["table", "html", "text"])

export function MediaPanel({ series, runs, step, steps, onStep, onSteps, theme, size }: Props): JSX.Element {
    const box = useRef<HTMLElement>(null)
    const isNear = useInSight(box)
    const items = useItems(series, isNear)
    const own = useMemo(() => Array.from(new Set(items.map(item => item.step))).sort((a, b) => a - b), [items])
    useEffect(() => { if (own.length > 0 && series.kind !== "histogram") onSteps(own) }, [own])
    const [look, setLook] = useState<Look | null>(null)
    const [isGallery, setGallery] = useState(false)
    const [open, setOpen] = useState<number | null>(null)
    const order = useMemo(() => new Map(runs.map((run, index) => [run.id, index])), [runs])
    const nameOf = (run: string): string => runs.find(one => one.id === run)?.name ?? run.slice(0, 8)
    const shown = useMemo(() => Array.from(itemsAt(items, step).values()).flat().sort((a, b) => order.get(a.run)! - order.get(b.run)!), [items, step, order])
    const isPicture = series.kind === "image" || series.kind === "figure"
    const overlays = useMemo(() => (isPicture ? shown.map(item => overlaysOf(item.value, { width: 1, height: 1 })) : []), [shown, isPicture])
    const classes = useMemo(() => classesOf(overlays), [overlays])
    // A background hides what it lies on; it begins hidden where that is its name.
    const looked = look ?? { hidden: new Set(classes.filter(one => one.isMask && /^(background|unlabell?ed|void)$/i.test(one.label)).map(one => one.name)), scoreMin: 0 }
    const lookKey = `${Array.from(looked.hidden).sort().join()} ${looked.scoreMin}`
    const steady = useMemo(() => looked, [lookKey])
    const count = Array.from(series.runs.values()).reduce((sum, one) => sum + one.count, 0)
    if (series.kind === "histogram") return <Spread series={series} items={items} nameOf={nameOf} theme={theme} hasMany={runs.length > 1} place={box} />
    const altOf = (item: Item, index: number): string => `${series.key} of ${nameOf(item.run)} at step ${item.step}${shown.filter(one => one.run === item.run).length > 1 ? `, number ${index + 1}` : ""}`
    return (
        <section className="media-panel" aria-label={series.key} ref={box}>
            <div className="media-head">
                <h3 className="cut">{series.key}</h3><span className="muted num">{series.kind} · {plural(count, "value")}{series.leftOut > 0 && ` · ${plural(series.leftOut, "more run")} not shown`}</span><span className="grow" />
                {isPicture && count > series.runs.size && <button className="button" aria-pressed={isGallery} onClick={() => setGallery(!isGallery)}>All steps</button>}
            </div>
            <Legend classes={classes} hasScores={overlays.some(one => one.hasScores)} look={steady} onLook={setLook} />
            {items.length === 0 ? <Skeleton rows={3} />
                : isGallery ? <Gallery items={items} size={Math.round(Math.max(96, Math.min(size * 0.7, 200)))} name={item => `${series.key} of ${nameOf(item.run)} at step ${item.step}`} label={item => `${runs.length > 1 ? `${nameOf(item.run)} · ` : ""}${formatCount(item.step)}`} look={steady} title={series.key} />
                : shown.length === 0 ? <p className="muted">Nothing up to step {formatCount(step)}; the first is at {formatCount(own[0] ?? 0)}.</p>
                : series.kind === "table" ? <Suspense fallback={<Skeleton />}><Tables items={items} shown={shown} nameOf={nameOf} /></Suspense>
                : (
                    <div className={wideKinds.has(series.kind) ? "media wide" : "media"} style={{ ["--size" as string]: `${series.kind === "object3d" || series.kind === "figure" ? Math.max(size, 280) : series.kind === "audio" || series.kind === "video" ? Math.max(size, 240) : size}px` }}>
                        {shown.map((item, index) => (
                            <figure key={`${item.run} ${index}`} className="card">
                                <Shown item={item} alt={altOf(item, index)} look={steady} theme={theme} onOpen={() => setOpen(index)} />
                                <figcaption><span className="cut">{runs.length > 1 ? `${nameOf(item.run)} · ` : ""}step {formatCount(item.step)}</span>{typeof item.value["caption"] === "string" && <span className="cut muted" title={item.value["caption"]}>{item.value["caption"]}</span>}</figcaption>
                            </figure>
                        ))}
                    </div>
                )}
            {open !== null && <Lightbox items={shown} at={open} title={item => `${series.key} of ${nameOf(item.run)} at step ${formatCount(item.step)}`} look={steady} onAt={setOpen} onStep={steps.length > 1 ? onStep : null} onClose={() => setOpen(null)} />}
        </section>
    )
}

function Shown({ item, alt, look, theme, onOpen }: { item: Item; alt: string; look: Look; theme: string; onOpen: () => void }): JSX.Element {
    const isPlotly = item.kind === "figure" && /json/.test(item.mime)
    if (isPlotly) return <Suspense fallback={<Skeleton rows={3} />}><Plot item={item} alt={alt} theme={theme} /></Suspense>
    if ((item.kind === "image" || item.kind === "figure") && item.path) return <button className="shot" aria-label={`Enlarge ${alt}`} onClick={onOpen}><Picture key={item.path} item={item} alt={alt} look={look} /></button>
    if (item.kind === "audio" || item.kind === "video") return <Playable item={item} alt={alt} />
    if (item.kind === "object3d") return <Suspense fallback={<Skeleton rows={4} />}><Scene item={item} alt={alt} theme={theme} /></Suspense>
    if (item.kind === "html") return <Page item={item} alt={alt} />
    return <Words item={item} />
}

const histogramsMax = 12

function Spread({ series, items, nameOf, theme, hasMany, place }: { series: SeriesKey; items: Item[]; nameOf: (run: string) => string; theme: string; hasMany: boolean; place: RefObject<HTMLElement> }): JSX.Element {
    const byRun = useMemo(() => Array.from(series.runs.keys()).slice(0, histogramsMax).map(run => ({
        run, steps: items.filter(item => item.run === run).map(item => histogramOf(item.step, item.value)).filter((one): one is HistogramStep => one !== null),
    })).filter(one => one.steps.length > 0), [items])
    if (byRun.length === 0) return <section className="card panel" aria-label={series.key} ref={place}><div className="panel-head"><h3 className="cut grow">{series.key}</h3></div>{items.length === 0 ? <Skeleton rows={4} /> : <p className="muted">These values have no edges and counts.</p>}</section>
    return <>{byRun.map(one => <HistogramChart key={one.run} name={hasMany ? `${series.key} · ${nameOf(one.run)}` : series.key} steps={one.steps} theme={theme} />)}</>
}
