// The media of the shown runs: a panel for each key, and one step for all of them. Arrow keys move the step.
import "../../core"
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react"
import { setQuery, useAddress } from "../../app/router"
import { keep, kept } from "../../app/theme"
import { formatCount, plural } from "../../ui/format"
import { Icon } from "../../ui/parts"
import { MediaPanel } from "./MediaPanel"
import { type SeriesKey, useSeriesKeys } from "./sources"

export interface ShownRun { id: string; name: string }

/** In so many runs is looked for media; often only some of them have any. */
const runsMax = 40
const panelsAtFirst = 12
const sizes = [120, 180, 280, 420]
/** Kinds that show all steps at once do not follow the slider. */
const isStepped = (series: SeriesKey): boolean => series.kind !== "histogram"

export default function MediaSection({ runs, theme, isLive }: { runs: ShownRun[]; theme: string; isLive: boolean }): JSX.Element | null {
    const { query } = useAddress()
    const [panels, setPanels] = useState(panelsAtFirst)
    const [size, setSize] = useState(() => Number(kept("media.size", "180")))
    const shown = useMemo(() => runs.slice(0, runsMax), [runs])
    const { keys } = useSeriesKeys(useMemo(() => shown.map(run => run.id), [shown]), isLive)
    // Each panel tells its steps as it learns them; the slider has all of them.
    const [stepsOf, setStepsOf] = useState<Record<string, number[]>>({})
    const steps = useMemo(() => Array.from(new Set(Object.values(stepsOf).flat())).sort((a, b) => a - b), [stepsOf])
    const asked = query.get("mstep")
    const [wish, setWish] = useState<number | null>(asked === null ? null : Number(asked))
    const last = steps[steps.length - 1] ?? 0
    const step = wish === null ? last : Math.min(Math.max(wish, steps[0] ?? wish), last)
    // Moving a slider changes the address when it rests: browsers take only so many changes.
    const timer = useRef(0)
    useEffect(() => () => window.clearTimeout(timer.current), [])
    const go = (next: number | undefined): void => {
        if (next === undefined) return
        setWish(next === last ? null : next)
        window.clearTimeout(timer.current)
        timer.current = window.setTimeout(() => setQuery({ mstep: next === last ? null : String(next) }), 300)
    }
    const place = steps.reduce((found, one, index) => (one <= step ? index : found), 0)
    const by = (count: number): void => go(steps[Math.max(0, Math.min(steps.length - 1, place + count))])
    const press = (event: KeyboardEvent): void => {
        const target = event.target as HTMLElement
        if (!/^(BUTTON|SECTION|FIGURE|A)$/.test(target.tagName) || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return
        event.preventDefault()
        by(event.key === "ArrowLeft" ? -1 : 1)
    }
    if (keys.length === 0) return null
    const pictures = keys.filter(isStepped)
    const spreads = keys.filter(one => !isStepped(one))
    const panel = (series: SeriesKey): JSX.Element => (
        <MediaPanel key={`${series.kind}\n${series.key}`} series={series} runs={shown} step={step} steps={steps} onStep={by} theme={theme} size={size}
            onSteps={found => setStepsOf(old => ({ ...old, [`${series.kind}\n${series.key}`]: found }))} />
    )
    return (
        <section className="section media-section" aria-label="Media" onKeyDown={press}>
            {pictures.length > 0 && (
                <div className="media-tools" role="toolbar" aria-label="Which step is shown">
                    <h2>Media</h2>
                    {steps.length > 1 && <>
                        <button className="button icon" aria-label="Earlier step" disabled={place === 0} onClick={() => by(-1)}><span className="back"><Icon name="chevron" /></span></button>
                        <label className="label">Step <input type="range" min={0} max={steps.length - 1} value={place} aria-valuetext={`step ${step}`} onChange={event => go(steps[Number(event.target.value)])} style={{ width: "min(260px, 30vw)" }} /></label>
                        <button className="button icon" aria-label="Later step" disabled={place === steps.length - 1} onClick={() => by(1)}><Icon name="chevron" /></button>
                        <output className="num">{formatCount(step)} <span className="muted">of {formatCount(last)}</span></output>
                    </>}
                    <span className="grow" />
                    <label className="label">Size <select className="select" value={size} onChange={event => { setSize(Number(event.target.value)); keep("media.size", event.target.value) }}>{sizes.map((one, index) => <option key={one} value={one}>{["small", "medium", "large", "largest"][index]}</option>)}</select></label>
                </div>
            )}
            {runs.length > runsMax && <p className="muted">Of the first {runsMax} of {formatCount(runs.length)} runs; hide some to see the rest.</p>}
            {pictures.slice(0, panels).map(panel)}
            {spreads.length > 0 && <div className="section-title"><h2>Distributions</h2></div>}
            {spreads.length > 0 && <div className="grid">{spreads.slice(0, panels).map(panel)}</div>}
            {Math.max(pictures.length, spreads.length) > panels && <p style={{ marginTop: 12 }}><button className="button" onClick={() => setPanels(panels + 2 * panelsAtFirst)}>Show more of {plural(keys.length, "panel")}</button></p>}
        </section>
    )
}
