import type { Meaning } from "../../api/meanings"

/** The best of some values; NaN where none is, because nothing says which way is better or all are the same. */
export function bestOf(values: (number | null)[], meaning: Meaning | undefined): number {
    const finite = values.filter((value): value is number => value !== null && Number.isFinite(value))
    if (!meaning || new Set(finite).size < 2) return NaN
    return meaning.goal === "min" ? Math.min(...finite) : Math.max(...finite)
}
