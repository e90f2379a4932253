// What of a run can be put on an axis: its numeric params, its metrics' latest values, how long it took.
import type { Meaning } from "../../api/meanings"
import { formatCount, formatValue, plural } from "../../ui/format"
import { type RunRow, isSeedName } from "../runs"

export interface Field {
    /** `params.lr`, `metrics.val/loss`, `duration`. */
    id: string
    name: string
}

export interface Study {
    experiment: string
    rows: RunRow[]
    metric: string
    theme: string
    /** Whether runs far outside are left at the edge. */
    clips: boolean
    /** Params that differ. */
    different: string[]
    /** Numeric params that differ, seeds left out. */
    params: Field[]
    metrics: Field[]
    goalOf: (metric: string) => Meaning
    labelOf: (row: RunRow) => string
}

export const duration: Field = { id: "duration", name: "duration (s)" }

/** Null where the run has none; NaN and the infinities as they were logged. */
export function numberAt(row: RunRow, id: string): number | null {
    if (id === "duration") return row.end === null ? null : (row.end - row.start) / 1000
    if (id.startsWith("metrics.")) return row.metrics[id.slice(8)] ?? null
    const value = row.params[id.slice(7)]
    if (typeof value === "boolean") return Number(value)
    return typeof value === "number" ? value : value === "NaN" || value === "Infinity" || value === "-Infinity" ? Number(value) : null
}

export function numericParams(rows: RunRow[], different: string[]): Field[] {
    return different.filter(name => !isSeedName(name) && rows.some(row => numberAt(row, `params.${name}`) !== null)).map(name => ({ id: `params.${name}`, name }))
}

export interface Kept { rows: RunRow[]; values: number[][]; foot: string }

/** The runs that have a number for every field, and in words those that have not. */
export function keepNumbers(rows: RunRow[], ids: string[]): Kept {
    const kept: RunRow[] = []
    const values: number[][] = []
    let [missing, broken, running] = [0, 0, 0]
    for (const row of rows) {
        const found = ids.map(id => numberAt(row, id))
        if (found.some(value => value === null)) missing += 1
        else if (found.some(value => !Number.isFinite(value))) broken += 1
        else {
            kept.push(row)
            values.push(found as number[])
            if (row.state === "running") running += 1
        }
    }
    return { rows: kept, values, foot: footOf(kept.length, rows.length, missing, broken, running) }
}

export function footOf(shown: number, all: number, missing: number, broken: number, running = 0): string {
    const out = [broken && `${formatCount(broken)} with NaN or ∞`, missing && `${formatCount(missing)} without a value`].filter(Boolean)
    return `n ${formatCount(shown)} of ${plural(all, "run")}${out.length ? ` · left out: ${out.join(", ")}` : ""}${running ? ` · ${running} still running, as of now` : ""}`
}

/** A choice out of the address, if it is one of the list's. */
export function chosen(fields: Field[], id: string | null, standard: Field | undefined): Field | undefined {
    return fields.find(field => field.id === id) ?? fields.find(field => field.name === id) ?? standard
}

export const wordOf = (row: RunRow, param: string): string | null => (row.params[param] == null ? null : formatValue(row.params[param]))
