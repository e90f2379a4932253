// Correlations of all numeric params and metrics; a square opens its pair as a scatter.
import { useCallback, useMemo } from "react"
import { Drawing } from "../../charts/Drawing"
import { cellAt, correlationColour, drawCorrelations, planCorrelations } from "../../charts/correlations"
import type { Correlation } from "../../charts/statistics"
import { formatNumber, plural } from "../../ui/format"
import { type Study, numberAt } from "./fields"
import { Readout } from "./Readout"
import { useSettings } from "./settings"

const namesMax = 24

export function Correlations({ study }: { study: Study }): JSX.Element {
    const settings = useSettings()
    const { rows, theme, params, metrics, different } = study
    const kind: Correlation = settings.get("corr") === "pearson" ? "pearson" : "spearman"
    const every = useMemo(() => [...params, ...metrics].filter(field => {
        const seen = new Set(rows.map(row => numberAt(row, field.id)).filter(value => value !== null && Number.isFinite(value)))
        return seen.size > 1
    }), [params, metrics, rows])
    const fields = every.slice(0, namesMax)
    const plan = useMemo(
        () => planCorrelations(fields.map(field => field.name), fields.map(field => rows.map(row => numberAt(row, field.id) ?? NaN)), kind, theme),
        [every, rows, kind, theme])
    const draw = useCallback<React.ComponentProps<typeof Drawing>["draw"]>((paper, room, ink) => drawCorrelations(paper, room, ink, plan), [plan])
    const pairs = plan.cells.flatMap((row, index) => row.slice(0, index).map((cell, column) => ({ ...cell, row: index, column })))
    const counts = pairs.map(pair => pair.n)
    const [least, most] = [Math.min(...counts), Math.max(...counts)]
    const words = different.length - params.length
    const strongest = [...pairs].filter(pair => Number.isFinite(pair.r)).sort((a, b) => Math.abs(b.r) - Math.abs(a.r))
    return (
        <Drawing
            name="Correlation" height={Math.max(250, Math.min(520, fields.length * 30 + 84))} theme={theme} draw={draw}
            label={`Correlations of ${fields.length} params and metrics. Strongest: ${strongest.slice(0, 5).map(pair => `${plan.names[pair.row]} and ${plan.names[pair.column]} ${formatNumber(pair.r, 2)}`).join("; ")}`}
            choices={<span className="label" role="group" aria-label="Kind"><button className="button" aria-pressed={kind === "spearman"} title="Of ranks: also finds what bends" onClick={() => settings.set({ corr: null })}>Spearman</button><button className="button" aria-pressed={kind === "pearson"} title="Of values: how straight" onClick={() => settings.set({ corr: "pearson" })}>Pearson</button></span>}
            empty={fields.length < 2 ? "Correlations take two numbers that differ between runs." : undefined}
            foot={counts.length === 0 ? "" : <>n {least === most ? least : `${least} to ${most}`} of {plural(rows.length, "run")} in each pair: those with both numbers; NaN and ∞ left out{words > 0 && ` · ${plural(words, "param")} left out: words or seeds`}{every.length > namesMax && ` · the first ${namesMax} of ${every.length} names`}</>}
            sheet={() => ({ head: ["one", "other", kind, "n"], rows: strongest.map(pair => [plan.names[pair.row]!, plan.names[pair.column]!, pair.r, pair.n]) })}
            find={(px, py, room) => {
                const at = cellAt(plan, room, px, py)
                if (!at || at.row === at.column) return null
                const { r, n } = plan.cells[at.row]![at.column]!
                const [one, other] = [fields[at.row]!, fields[at.column]!]
                const result = one.id.startsWith("metrics.") ? one : other.id.startsWith("metrics.") ? other : null
                const against = result === one ? other : one
                return {
                    x: px, y: py, ...(result ? { open: () => settings.set({ metric: result.name, x: against.id }) } : {}),
                    content: <Readout title={`${one.name} and ${other.name}`} colour={Number.isNaN(r) ? undefined : correlationColour(r, theme)} values={[[kind === "spearman" ? "Spearman’s ρ" : "Pearson’s r", Number.isNaN(r) ? "none: too few, or no change" : r], ["n", n], ...(result ? [["press to see", "the scatter"] as [string, string]] : [])]} />,
                }
            }} />
    )
}
