// A run's rich values: histograms as charts, texts and small JSON as they are.
import { useMemo } from "react"
import { all, get, part } from "../api/client"
import { useResource } from "../api/resource"
import type { Json } from "../api/types"
import { HistogramChart, type HistogramStep, histogramOf } from "../charts/Histogram"

interface Key { key: string; kind: string; count: number; first_step: number; last_step: number }
interface Point { step: number; kind: string; value: Json }

export default function RichPanels({ run, theme }: { run: string; theme: string }): JSX.Element | null {
    const keys = useResource(`run/${run}/rich`, () => get<{ keys: Key[] }>(`runs/${part(run)}/rich`))
    const shown = (keys.data?.keys ?? []).filter(one => one.kind === "histogram" || one.kind === "text")
    if (shown.length === 0) return null
    return (
        <>
            <div className="section-title"><h2>Distributions and texts</h2></div>
            <div className="grid">{shown.slice(0, 60).map(one => <Rich key={one.key} run={run} about={one} theme={theme} />)}</div>
        </>
    )
}

function Rich({ run, about, theme }: { run: string; about: Key; theme: string }): JSX.Element | null {
    const points = useResource(`run/${run}/rich/${about.key}`, () => all<Point>(`runs/${part(run)}/rich/${about.key.split("/").map(part).join("/")}?limit=1000`, "points"))
    const steps = useMemo(() => (points.data ?? []).map(point => histogramOf(point.step, point.value)).filter((one): one is HistogramStep => one !== null), [points.data])
    if (about.kind === "histogram") return steps.length > 0 ? <HistogramChart name={about.key} steps={steps} theme={theme} /> : null
    const last = (points.data ?? []).slice(-5).reverse()
    return (
        <section className="card panel" aria-label={about.key}>
            <div className="panel-head"><h3 className="cut grow">{about.key}</h3></div>
            <div className="points" tabIndex={0} role="group" aria-label="Texts" style={{ maxHeight: 200 }}>{last.map(point => <p key={point.step} style={{ padding: "4px 2px" }}><span className="muted num">step {point.step}</span> {typeof point.value === "string" ? point.value : JSON.stringify((point.value as { text?: Json } | null)?.text ?? point.value)}</p>)}</div>
        </section>
    )
}
