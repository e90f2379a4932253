// The result by the values of a param: boxes or shapes, with every run as a point.
import { useCallback, useMemo } from "react"
import { navigate } from "../../app/router"
import { Drawing } from "../../charts/Drawing"
import { nearestPlace, outsideOf } from "../../charts/axes"
import { type ValueGroup, drawGroups, placesOf, planGroups } from "../../charts/groups"
import { strokeOf } from "../../charts/palette"
import { quantile } from "../../charts/statistics"
import { exactNumber, formatCount, formatNumber } from "../../ui/format"
import { type RunRow, isSeedName } from "../runs"
import { type Study, keepNumbers, wordOf } from "./fields"
import { FieldChoice, Readout } from "./Readout"
import { useSettings } from "./settings"

const groupsMax = 12

interface Members extends ValueGroup { rows: RunRow[] }

/** Runs by a param's value; a number with many values is cut into five parts of about as many runs. */
function groupsBy(rows: RunRow[], values: number[], param: string, theme: string): { groups: Members[]; unnamed: number; others: number } {
    const named = rows.map((row, index) => ({ row, value: values[index]!, word: wordOf(row, param), number: row.params[param] }))
    const present = named.filter(one => one.word !== null)
    const isNumeric = present.every(one => typeof one.number === "number")
    const distinct = new Set(present.map(one => one.word))
    const made = new Map<string, { rows: RunRow[]; values: number[]; order: number }>()
    const put = (key: string, one: typeof named[number], order: number): void => {
        const known = made.get(key) ?? { rows: [], values: [], order }
        known.rows.push(one.row)
        known.values.push(one.value)
        made.set(key, known)
    }
    if (isNumeric && distinct.size > groupsMax) {
        const sorted = present.map(one => one.number as number).sort((a, b) => a - b)
        const ends = [0, 0.2, 0.4, 0.6, 0.8, 1].map(share => quantile(sorted, share))
        for (const one of present) {
            const part = Math.max(0, Math.min(4, ends.findIndex((end, index) => index > 0 && (one.number as number) <= end) - 1))
            put(`${formatNumber(ends[part], 2)} … ${formatNumber(ends[part + 1], 2)}`, one, ends[part]!)
        }
    } else for (const one of present) put(one.word!, one, isNumeric ? (one.number as number) : 0)
    const all = Array.from(made, ([label, group]) => ({ label, ...group }))
        .sort((a, b) => a.order - b.order || (isNumeric ? 0 : a.label.localeCompare(b.label)))
    const most = all.length > groupsMax ? new Set([...all].sort((a, b) => b.rows.length - a.rows.length).slice(0, groupsMax)) : new Set(all)
    return {
        groups: all.filter(group => most.has(group)).map((group, index) => ({ ...group, colour: strokeOf(index, theme).colour })),
        unnamed: named.length - present.length,
        others: all.filter(group => !most.has(group)).reduce((sum, group) => sum + group.rows.length, 0),
    }
}

export function ByGroup({ study }: { study: Study }): JSX.Element {
    const settings = useSettings()
    const { rows, metric, theme, clips, different, labelOf } = study
    const names = useMemo(() => different.filter(name => !isSeedName(name)), [different])
    const wish = settings.get("by")
    const by = wish && different.includes(wish) ? wish : names.find(name => rows.some(row => typeof row.params[name] === "string")) ?? names[0] ?? different[0] ?? ""
    const isViolin = settings.get("shape") === "violin"
    const kept = useMemo(() => keepNumbers(rows, [`metrics.${metric}`]), [rows, metric])
    const found = useMemo(() => groupsBy(kept.rows, kept.values.map(one => one[0]!), by, theme), [kept, by, theme])
    const plan = useMemo(() => planGroups(found.groups, isViolin, metric, clips), [found, isViolin, metric, clips])
    const draw = useCallback<React.ComponentProps<typeof Drawing>["draw"]>((paper, room, ink) => drawGroups(paper, room, ink, plan), [plan])
    return (
        <Drawing
            name="By group" height={300} theme={theme} draw={draw}
            label={`${metric} by ${by}: ${plan.groups.map((group, index) => `${group.label}, median ${formatNumber(plan.summaries[index]!.median)}, n ${group.values.length}`).join("; ")}`}
            choices={<>
                <FieldChoice label={`${metric} by`} value={by} groups={[["Params", different.map(name => ({ id: name, name }))]]} onChange={id => settings.set({ by: id })} />
                <span className="label" role="group" aria-label="Drawn as"><button className="button" aria-pressed={!isViolin} onClick={() => settings.set({ shape: null })}>Box</button><button className="button" aria-pressed={isViolin} onClick={() => settings.set({ shape: "violin" })}>Violin</button></span>
            </>}
            empty={different.length === 0 ? "All runs have the same settings." : plan.groups.length === 0 ? "No run has a number here." : undefined}
            foot={<>{kept.foot}{found.unnamed > 0 && `, ${formatCount(found.unnamed)} without ${by}`}{found.others > 0 && `, ${formatCount(found.others)} in smaller groups`}{outsideOf(plan.y)} · {isViolin ? "shape from 8 runs on, cut at the extremes" : "box: quartiles; whiskers: 1.5 boxes; from 5 runs on"}</>}
            sheet={() => ({
                head: [by, "n", "median", "q1", "q3", "mean", "std", "least", "greatest"],
                rows: plan.groups.map((group, index) => { const one = plan.summaries[index]!; return [group.label, one.n, one.median, one.q1, one.q3, one.mean, one.n > 1 ? one.deviation : NaN, Math.min(...group.values), Math.max(...group.values)] }),
            })}
            find={(px, py, room) => {
                const places = placesOf(plan, room)
                const at = nearestPlace(places, px, py)
                const place = places[at]
                if (!place) return null
                const group = found.groups[place.group]!
                const row = group.rows[place.value]!
                return { x: place.x, y: place.y, open: () => navigate(`/runs/${row.id}`), content: <Readout title={`${row.name} · ${labelOf(row)}`} colour={group.colour} values={[[metric, exactNumber(group.values[place.value])], [`median of ${group.label}`, plan.summaries[place.group]!.median]]} /> }
            }} />
    )
}
