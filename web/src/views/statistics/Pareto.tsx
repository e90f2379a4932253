// Trade-off: two results at once, and the runs that no other beats in both.
import { useCallback, useMemo } from "react"
import { Link, navigate } from "../../app/router"
import { Drawing } from "../../charts/Drawing"
import { nearestPlace, outsideOf } from "../../charts/axes"
import { strokeOf } from "../../charts/palette"
import { drawPareto, paretoPlaces, planPareto } from "../../charts/pareto"
import type { Goal } from "../../charts/statistics"
import { exactNumber, formatNumber, plural } from "../../ui/format"
import { type Field, type Study, chosen, duration, keepNumbers } from "./fields"
import { FieldChoice, Readout } from "./Readout"
import { useSettings } from "./settings"

export function Pareto({ study }: { study: Study }): JSX.Element {
    const settings = useSettings()
    const { rows, metric, theme, clips, metrics, goalOf, labelOf } = study
    const every = useMemo(() => [...metrics, duration], [metrics])
    const y = chosen(every, settings.get("py"), every.find(field => field.id === `metrics.${metric}`) ?? duration)!
    const x = chosen(every.filter(field => field.id !== y.id), settings.get("px"), every.find(field => field.id !== y.id))
    // How long a run took is better shorter; of metrics the experiment says it.
    const meant = (field: Field): { goal: Goal; isGuessed: boolean } => (field.id === "duration" ? { goal: "min", isGuessed: false } : goalOf(field.name))
    const goal = (field: Field, wish: string | null): { goal: Goal; isGuessed: boolean } => (wish === "min" || wish === "max" ? { goal: wish, isGuessed: false } : meant(field))
    const [xGoal, yGoal] = [goal(x ?? y, settings.get("pxgoal")), goal(y, settings.get("pygoal"))]
    const kept = useMemo(() => keepNumbers(rows, [x?.id ?? y.id, y.id]), [rows, x?.id, y.id])
    const plan = useMemo(
        () => planPareto(kept.values.map(pair => ({ x: pair[0]!, y: pair[1]! })), x?.name ?? "", y.name, xGoal.goal, yGoal.goal, strokeOf(0, theme).colour, clips),
        [kept, x?.name, y.name, xGoal.goal, yGoal.goal, theme, clips])
    const draw = useCallback<React.ComponentProps<typeof Drawing>["draw"]>((paper, room, ink) => drawPareto(paper, room, ink, plan), [plan])
    const flip = (name: string, now: { goal: Goal; isGuessed: boolean }, field: Field, key: string): JSX.Element => (
        <button className="button" title={`${now.goal === "min" ? "Less" : "More"} of ${field.name} is better${now.isGuessed ? ", guessed from its name" : ""}; press for the other way`} aria-label={`${name}: ${now.goal === "min" ? "less" : "more"} is better`}
            onClick={() => settings.set({ [key]: now.goal === "min" ? "max" : "min" })}>{now.goal === "min" ? "↓ less" : "↑ more"}{now.isGuessed && <span className="muted">?</span>}</button>
    )
    if (!x) return <Drawing name="Trade-off" height={300} theme={theme} draw={draw} label="" sheet={() => ({ head: [], rows: [] })} empty="A trade-off takes two results, and these runs have one." foot="" />
    return (
        <Drawing
            name="Trade-off" height={300} theme={theme} draw={draw}
            label={`Pareto front of ${y.name}, ${yGoal.goal === "min" ? "less" : "more"} is better, and ${x.name}, ${xGoal.goal === "min" ? "less" : "more"} is better: ${plan.front.map(index => kept.rows[index]!.name).join(", ")}`}
            choices={<>
                <FieldChoice label="y" value={y.id} groups={[["Metrics", metrics], ["Run", [duration]]]} onChange={id => settings.set({ py: id, pygoal: null })} />{flip("y", yGoal, y, "pygoal")}
                <FieldChoice label="x" value={x.id} groups={[["Metrics", metrics], ["Run", [duration]]]} onChange={id => settings.set({ px: id, pxgoal: null })} />{flip("x", xGoal, x, "pxgoal")}
            </>}
            empty={plan.points.length === 0 ? "No run has numbers for both." : undefined}
            foot={<>{kept.foot}{outsideOf(plan.x, plan.y)} · {plural(plan.front.length, "run")} on the front: {plan.front.slice(0, 8).map((index, place) => <span key={index}>{place > 0 && ", "}<Link className="text" to={`/runs/${kept.rows[index]!.id}`}>{kept.rows[index]!.name}</Link></span>)}{plan.front.length > 8 && " …"}{(xGoal.isGuessed || yGoal.isGuessed) && " · ? guessed from the name"}</>}
            sheet={() => ({ head: ["run", x.name, y.name, "on the front"], rows: kept.rows.map((row, index) => [row.name, ...kept.values[index]!, plan.front.includes(index) ? "yes" : "no"]) })}
            find={(px, py, room) => {
                const places = paretoPlaces(plan, room)
                const at = nearestPlace(places, px, py)
                const row = kept.rows[at]
                if (!row) return null
                const isFront = plan.front.includes(at)
                const beaten = isFront ? 0 : plan.points.filter(point => beats(point, plan.points[at]!, xGoal.goal, yGoal.goal)).length
                return { ...places[at]!, open: () => navigate(`/runs/${row.id}`), content: <Readout title={`${row.name} · ${labelOf(row)}`} values={[[x.name, exactNumber(kept.values[at]![0])], [y.name, exactNumber(kept.values[at]![1])], [isFront ? "on the front" : "beaten in both by", isFront ? "" : formatNumber(beaten)]]} /> }
            }} />
    )
}

function beats(one: { x: number; y: number }, other: { x: number; y: number }, xGoal: Goal, yGoal: Goal): boolean {
    const better = (a: number, b: number, goal: Goal): number => (goal === "min" ? b - a : a - b)
    const [dx, dy] = [better(one.x, other.x, xGoal), better(one.y, other.y, yGoal)]
    return dx >= 0 && dy >= 0 && dx + dy > 0
}
