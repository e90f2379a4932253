// Contour: the result over two settings.
import { useCallback, useMemo } from "react"
import { navigate } from "../../app/router"
import { Drawing } from "../../charts/Drawing"
import { nearestPlace } from "../../charts/axes"
import { contourPlaces, drawContour, guessUnder, planContour } from "../../charts/contour"
import { exactNumber, plural } from "../../ui/format"
import { type Study, chosen, keepNumbers } from "./fields"
import { FieldChoice, Readout } from "./Readout"
import { useSettings } from "./settings"

const sitesLeast = 6

export function Contour({ study }: { study: Study }): JSX.Element {
    const settings = useSettings()
    const { rows, metric, theme, params, labelOf } = study
    // Settings with many values fill the plane; a setting with two is a line.
    const rich = useMemo(() => [...params].sort((a, b) => valuesOf(b.name) - valuesOf(a.name)), [params, rows])
    function valuesOf(name: string): number { return new Set(rows.map(row => row.params[name])).size }
    const x = chosen(params, settings.get("cx"), rich[0])
    const y = chosen(params.filter(field => field.id !== x?.id), settings.get("cy"), rich.find(field => field.id !== x?.id))
    const kept = useMemo(() => keepNumbers(rows, [x?.id ?? "params.", y?.id ?? "params.", `metrics.${metric}`]), [rows, x?.id, y?.id, metric])
    const plan = useMemo(
        () => planContour(kept.values.map(one => ({ x: one[0]!, y: one[1]!, value: one[2]! })), { x: x?.name ?? "", y: y?.name ?? "", value: metric }, theme),
        [kept, x?.name, y?.name, metric, theme])
    const draw = useCallback<React.ComponentProps<typeof Drawing>["draw"]>((paper, room, ink) => drawContour(paper, room, ink, plan), [plan])
    const reason = !x || !y ? "A contour takes two numeric settings that differ between runs." : plan.sites.length < sitesLeast ? `A contour takes ${sitesLeast} different pairs of settings; these runs have ${plan.sites.length}.` : undefined
    return (
        <Drawing
            name="Contour" height={300} theme={theme} draw={draw}
            label={`Contour of ${metric} over ${x?.name} and ${y?.name}: ${plan.points.length} runs at ${plan.sites.length} places`}
            choices={x && y && <><FieldChoice label={`${metric} over`} value={x.id} groups={[["Params", params]]} onChange={id => settings.set({ cx: id })} /><FieldChoice label="and" value={y.id} groups={[["Params", params.filter(field => field.id !== x.id)]]} onChange={id => settings.set({ cy: id })} /></>}
            empty={reason}
            foot={reason ? (x && y ? kept.foot : "") : <>{kept.foot} · {plural(plan.sites.length, "place")}{plan.sites.length < plan.points.length && ", the mean where runs share one"} · points were run; bands between them are guesses from their neighbours, blank where none is near</>}
            sheet={() => ({ head: ["run", plan.names.x, plan.names.y, metric], rows: kept.rows.map((row, index) => [row.name, ...kept.values[index]!]) })}
            find={(px, py, room) => {
                const places = contourPlaces(plan, room)
                const at = nearestPlace(places, px, py, 9)
                const row = kept.rows[at]
                if (row) return { ...places[at]!, open: () => navigate(`/runs/${row.id}`), content: <Readout title={`${row.name} · ${labelOf(row)}`} values={[[plan.names.x, exactNumber(kept.values[at]![0])], [plan.names.y, exactNumber(kept.values[at]![1])], [metric, exactNumber(kept.values[at]![2])]]} /> }
                const guess = guessUnder(plan, room, px, py)
                return Number.isNaN(guess) ? null : { x: px, y: py, content: <Readout title="Between runs" values={[[`${metric}, a guess`, Number(guess.toPrecision(3))]]} /> }
            }} />
    )
}
