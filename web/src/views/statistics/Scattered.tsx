// Scatter: the result over a param or another metric.
import { useCallback, useMemo } from "react"
import { navigate } from "../../app/router"
import { Drawing } from "../../charts/Drawing"
import { nearestPlace, outsideOf } from "../../charts/axes"
import { ranksOf, shade } from "../../charts/Parallel"
import { drawScatter, planScatter, scatterPlaces } from "../../charts/scatter"
import { exactNumber, formatNumber } from "../../ui/format"
import { type Study, chosen, duration, keepNumbers, numberAt } from "./fields"
import { FieldChoice, Readout } from "./Readout"
import { useSettings } from "./settings"

export function Scattered({ study }: { study: Study }): JSX.Element {
    const settings = useSettings()
    const { rows, metric, theme, clips, params, metrics, labelOf } = study
    const every = useMemo(() => [...params, ...metrics, duration], [params, metrics])
    const x = chosen(every, settings.get("x"), params[0] ?? metrics.find(field => field.name !== metric) ?? duration)!
    const kept = useMemo(() => keepNumbers(rows, [x.id, `metrics.${metric}`]), [rows, x.id, metric])
    const plan = useMemo(() => {
        const ranks = ranksOf(kept.values.map(pair => pair[1]!))
        return planScatter(kept.values.map((pair, index) => ({ x: pair[0]!, y: pair[1]!, colour: shade(ranks[index] ?? 0.5, theme) })), x.name, metric, clips)
    }, [kept, x.name, metric, theme, clips])
    const draw = useCallback<React.ComponentProps<typeof Drawing>["draw"]>((paper, room, ink) => drawScatter(paper, room, ink, plan), [plan])
    return (
        <Drawing
            name="Scatter" height={300} theme={theme} draw={draw}
            label={`Scatter of ${metric} over ${x.name}, ${plan.points.length} runs`}
            choices={<FieldChoice label={`${metric} over`} value={x.id} groups={[["Params", params], ["Metrics", metrics], ["Run", [duration]]]} onChange={id => settings.set({ x: id })} />}
            empty={plan.points.length === 0 ? "No run has numbers for both axes." : undefined}
            foot={<>{kept.foot}{outsideOf(plan.x, plan.y)}{plan.fit && Number.isFinite(plan.fit.r) && ` · line of least squares, r ${formatNumber(plan.fit.r, 2)}`}</>}
            sheet={() => ({ head: ["run", x.name, metric], rows: kept.rows.map((row, index) => [row.name, ...kept.values[index]!]) })}
            find={(px, py, room) => {
                const places = scatterPlaces(plan, room)
                const at = nearestPlace(places, px, py)
                const row = kept.rows[at]
                return row ? { ...places[at]!, open: () => navigate(`/runs/${row.id}`), content: <Readout title={`${row.name} · ${labelOf(row)}`} colour={plan.points[at]!.colour} values={[[x.name, exactNumber(numberAt(row, x.id))], [metric, exactNumber(row.metrics[metric])]]} /> } : null
            }} />
    )
}
