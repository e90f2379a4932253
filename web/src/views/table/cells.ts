// Rows as every table of the app has them: what a cell may hold, how columns sort, and how a filter is read.
import type { Json } from "../../api/types"
import { formatNumber } from "../../ui/format"

/** What one cell was and is, where two tables are compared. */
export interface Change { was: Cell; now: Cell }

export type Cell = Json | bigint | Date | Change | undefined

export interface Grid { columns: string[]; rows: Cell[][] }

export function isChange(cell: Cell): cell is Change {
    return cell !== null && typeof cell === "object" && "was" in cell && "now" in cell
}

/** A picture, sound or page in a cell: the file that the Python package stored for it. */
export function mediaOf(cell: Cell): { kind: string; path: string; caption: string } | null {
    if (cell === null || typeof cell !== "object" || cell instanceof Date || Array.isArray(cell)) return null
    const { kind, path, caption } = cell as { kind?: Json; path?: Json; caption?: Json }
    return typeof kind === "string" && typeof path === "string" ? { kind, path, caption: typeof caption === "string" ? caption : "" } : null
}

export function wordsOf(cell: Cell): string {
    if (cell === null || cell === undefined) return ""
    if (typeof cell === "string") return cell
    if (typeof cell === "number") return formatNumber(cell, 7)
    if (cell instanceof Date) return Number.isNaN(cell.getTime()) ? "–" : cell.toISOString().replace("T", " ").replace(/\.000Z$|Z$/, "")
    if (typeof cell === "object") {
        if (isChange(cell)) return `${wordsOf(cell.was)} → ${wordsOf(cell.now)}`
        const media = mediaOf(cell)
        return media ? media.caption || media.path : JSON.stringify(cell)
    }
    return String(cell)
}

/** The whole of it, as it is saved and compared. */
export function exactOf(cell: Cell): string {
    return typeof cell === "number" ? String(cell) : cell !== null && typeof cell === "object" && isChange(cell) ? `${exactOf(cell.was)} → ${exactOf(cell.now)}` : wordsOf(cell)
}

/** A cell as a number, as it stands now; null when it is none. Numbers in a text file are texts at first. */
export function numberIn(cell: Cell): number | null {
    if (typeof cell === "number") return cell
    if (typeof cell === "bigint") return Number(cell)
    if (cell instanceof Date) return cell.getTime()
    if (typeof cell === "string") return cell.trim() !== "" && !Number.isNaN(Number(cell)) ? Number(cell) : null
    if (typeof cell === "boolean") return Number(cell)
    return cell !== null && cell !== undefined && typeof cell === "object" && isChange(cell) ? numberIn(cell.now ?? cell.was) : null
}

const isEmpty = (cell: Cell): boolean => cell === null || cell === undefined || cell === "" || (typeof cell === "number" && Number.isNaN(cell))

/** Columns of which every value is a number stand to the right and sort by size. */
export function numericColumns(grid: Grid): boolean[] {
    const sample = grid.rows.slice(0, 2000)
    return grid.columns.map((_, column) => sample.some(row => !isEmpty(row[column])) && sample.every(row => isEmpty(row[column]) || (numberIn(row[column]) !== null && typeof row[column] !== "boolean")))
}

/** What is empty comes last, whichever way it goes. */
export function sorted(rows: number[], grid: Grid, column: number, falls: boolean, isNumeric: boolean): number[] {
    const words = new Intl.Collator("en", { numeric: true })
    return [...rows].sort((a, b) => {
        const [one, other] = [grid.rows[a]![column], grid.rows[b]![column]]
        if (isEmpty(one) || isEmpty(other)) return Number(isEmpty(one)) - Number(isEmpty(other))
        const order = isNumeric ? (numberIn(one) ?? 0) - (numberIn(other) ?? 0) : words.compare(wordsOf(one), wordsOf(other))
        return falls ? -order : order
    })
}

/** `> 0.5`, `<= 3`, `= word`, `!= word`, or words that stand in it. */
export function testOf(filter: string): ((cell: Cell) => boolean) | null {
    const text = filter.trim()
    if (text === "") return null
    const [, sign, rest] = /^(<=|>=|!=|<|>|=)\s*(.*)$/.exec(text) ?? []
    if (sign === undefined || rest === undefined || rest === "") return cell => wordsOf(cell).toLowerCase().includes(text.toLowerCase())
    const value = Number(rest)
    if (sign === "=" || sign === "!=") {
        const fits = (cell: Cell): boolean => exactOf(cell).toLowerCase() === rest.toLowerCase() || (!Number.isNaN(value) && numberIn(cell) === value)
        return sign === "=" ? fits : cell => !fits(cell)
    }
    return cell => {
        const number = numberIn(cell)
        if (number === null || Number.isNaN(value)) return false
        return sign === "<" ? number < value : sign === ">" ? number > value : sign === "<=" ? number <= value : number >= value
    }
}

/** Rows of two tables beside each other: matched by a column, or by their place. */
export function differenceOf(was: Grid, now: Grid, key: string | null): { grid: Grid; counts: { changed: number; added: number; removed: number; same: number } } {
    const columns = [...now.columns, ...was.columns.filter(name => !now.columns.includes(name))]
    const counts = { changed: 0, added: 0, removed: 0, same: 0 }
    const placeIn = (grid: Grid): (number | null)[] => columns.map(name => { const at = grid.columns.indexOf(name); return at < 0 ? null : at })
    const [before, after] = [placeIn(was), placeIn(now)]
    const nameOf = (grid: Grid, row: Cell[], index: number): string => (key === null ? String(index) : exactOf(row[grid.columns.indexOf(key)]))
    const old = new Map<string, Cell[]>()
    was.rows.forEach((row, index) => old.set(nameOf(was, row, index), row))
    const rows: Cell[][] = []
    now.rows.forEach((row, index) => {
        const name = nameOf(now, row, index)
        const other = old.get(name)
        old.delete(name)
        const cells = columns.map((_, place): Cell => {
            const [one, two] = [other && before[place] !== null ? other[before[place]!] : undefined, after[place] !== null ? row[after[place]!] : undefined]
            return !other || sameCells(one, two) ? two : { was: one, now: two }
        })
        const isChanged = other !== undefined && cells.some(cell => cell !== null && typeof cell === "object" && isChange(cell))
        const word = !other ? "added" : isChanged ? "changed" : "same"
        counts[word] += 1
        rows.push([word, ...cells])
    })
    old.forEach(row => {
        counts.removed += 1
        rows.push(["removed", ...columns.map((_, place): Cell => (before[place] !== null ? row[before[place]!] : undefined))])
    })
    return { grid: { columns: ["row", ...columns], rows }, counts }
}

/** Pictures are the same when their bytes are. */
function sameCells(one: Cell, other: Cell): boolean {
    const digest = (cell: Cell): Json | undefined => (mediaOf(cell) ? (cell as { sha256?: Json }).sha256 : undefined)
    const found = digest(one)
    if (found !== undefined) return found === digest(other)
    return exactOf(one) === exactOf(other)
}

/** The first column whose values tell all rows apart in both tables. */
export function keyOf(was: Grid, now: Grid): string | null {
    const isUnique = (grid: Grid, name: string): boolean => {
        const at = grid.columns.indexOf(name)
        return at >= 0 && new Set(grid.rows.map(row => exactOf(row[at]))).size === grid.rows.length
    }
    return now.columns.find(name => isUnique(now, name) && isUnique(was, name)) ?? null
}
