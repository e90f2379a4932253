// A table of any length: it sorts, filters by column, and keeps only the rows in sight in the page. Cells may hold pictures.
import "../../core"
import { type UIEvent, useMemo, useRef, useState } from "react"
import { formatCount } from "../../ui/format"
import { Icon, download } from "../../ui/parts"
import { Lightbox } from "../media/Lightbox"
import { type Item, fileAddress } from "../media/sources"
import { type Cell, type Grid, exactOf, isChange, mediaOf, numberIn, numericColumns, sorted, testOf, wordsOf } from "./cells"

interface Props {
    name: string
    grid: Grid
    /** Whose files the cells name. */
    run?: string
    /** Whose files cells name that are compared with. */
    runBefore?: string
    /** Beside the search field. */
    tools?: JSX.Element
    /** Said beneath, such as that there is more. */
    foot?: string
}

const heightMax = 520
const overscan = 6

export default function DataTable({ name, grid, run, runBefore, tools, foot }: Props): JSX.Element {
    const [search, setSearch] = useState("")
    const [filters, setFilters] = useState<Record<number, string>>({})
    const [hasFilters, setHasFilters] = useState(false)
    const [sort, setSort] = useState<{ column: number; falls: boolean } | null>(null)
    const [top, setTop] = useState(0)
    const [open, setOpen] = useState<Item | null>(null)
    const box = useRef<HTMLDivElement>(null)
    const numeric = useMemo(() => numericColumns(grid), [grid])
    const hasPictures = useMemo(() => grid.rows.slice(0, 50).some(row => row.some(cell => mediaOf(cell)?.kind === "image" || (cell !== null && typeof cell === "object" && isChange(cell) && (mediaOf(cell.now) ?? mediaOf(cell.was))))), [grid])
    const shown = useMemo(() => {
        const tests = Object.entries(filters).flatMap(([column, filter]) => { const test = testOf(filter); return test ? [{ column: Number(column), test }] : [] })
        const wanted = search.toLowerCase()
        const rows = grid.rows.map((_, index) => index).filter(index => {
            const row = grid.rows[index]!
            return tests.every(({ column, test }) => test(row[column])) && (!wanted || row.some(cell => wordsOf(cell).toLowerCase().includes(wanted)))
        })
        return sort ? sorted(rows, grid, sort.column, sort.falls, numeric[sort.column]!) : rows
    }, [grid, numeric, search, filters, sort])
    const row = hasPictures ? 64 : 30
    const head = hasFilters ? 66 : 32
    const height = Math.min(heightMax, shown.length * row + head + 14)
    const [first, end] = [Math.max(0, Math.floor(top / row) - overscan), Math.min(shown.length, Math.ceil((top + height) / row) + overscan)]
    const save = (): void => {
        const cell = (value: Cell): string => { const words = exactOf(value); return /[",\n]/.test(words) ? `"${words.replace(/"/g, '""')}"` : words }
        download(`${name.replace(/[^\w.-]+/g, "_")}.csv`, "text/csv", [grid.columns, ...shown.map(index => grid.rows[index]!)].map(cells => cells.map(cell).join(",")).join("\n") + "\n")
    }
    return (
        <div className="data">
            <div className="data-tools">
                <label className="field" style={{ width: 200 }}><Icon name="search" /><span className="hidden">Search rows of {name}</span><input type="search" placeholder="Search rows" value={search} onChange={event => setSearch(event.target.value)} /></label>
                <button className="button" aria-pressed={hasFilters} onClick={() => { setHasFilters(!hasFilters); if (hasFilters) setFilters({}) }}>Filter columns</button>
                {tools}
                <span className="grow" />
                <output className="muted num">{shown.length === grid.rows.length ? "" : `${formatCount(shown.length)} of `}{formatCount(grid.rows.length)} rows</output>
                <button className="button" onClick={save}>Save as CSV</button>
            </div>
            <div className="data-body" ref={box} tabIndex={0} role="region" aria-label={`Table ${name}`} style={{ height }} onScroll={(event: UIEvent<HTMLDivElement>) => setTop(event.currentTarget.scrollTop)}>
                <table className="plain" aria-rowcount={shown.length + 1}>
                    <thead>
                        <tr>{grid.columns.map((column, index) => (
                            <th key={index} className={numeric[index] ? "r" : undefined} aria-sort={sort?.column === index ? (sort.falls ? "descending" : "ascending") : "none"}>
                                <button className="button quiet" onClick={() => setSort(sort?.column === index ? (sort.falls ? null : { column: index, falls: true }) : { column: index, falls: false })}>{column}{sort?.column === index && (sort.falls ? " ▼" : " ▲")}</button>
                                {hasFilters && <input className="column-filter" aria-label={`Filter ${column}`} placeholder={numeric[index] ? "> 0.5" : "contains"} value={filters[index] ?? ""} onChange={event => setFilters({ ...filters, [index]: event.target.value })} />}
                            </th>
                        ))}</tr>
                    </thead>
                    <tbody>
                        {first > 0 && <tr aria-hidden="true" style={{ height: first * row }} />}
                        {shown.slice(first, end).map((index, place) => (
                            <tr key={index} aria-rowindex={first + place + 2} style={{ height: row }} className={typeof grid.rows[index]![0] === "string" && grid.columns[0] === "row" && runBefore ? `is-${grid.rows[index]![0]}` : undefined}>
                                {grid.columns.map((_, column) => <td key={column} className={numeric[column] ? "r" : undefined}><CellView cell={grid.rows[index]![column]} run={run} runBefore={runBefore} onOpen={setOpen} /></td>)}
                            </tr>
                        ))}
                        {end < shown.length && <tr aria-hidden="true" style={{ height: (shown.length - end) * row }} />}
                    </tbody>
                </table>
            </div>
            {foot && <p className="muted note">{foot}</p>}
            {open && <Lightbox items={[open]} at={0} title={() => String(open.value["caption"] || `Picture in ${name}`)} look={{ hidden: new Set(), scoreMin: 0 }} onAt={() => undefined} onStep={null} onClose={() => setOpen(null)} />}
        </div>
    )
}

function CellView({ cell, run, runBefore, onOpen }: { cell: Cell; run: string | undefined; runBefore: string | undefined; onOpen: (item: Item) => void }): JSX.Element {
    if (cell === null || cell === undefined) return <span className="muted" aria-label="empty">–</span>
    if (typeof cell === "object" && !(cell instanceof Date) && isChange(cell)) {
        const [one, other] = [numberIn(cell.was), numberIn(cell.now)]
        const by = one !== null && other !== null && typeof cell.was === "number" ? other - one : null
        return <span className="change"><del><CellView cell={cell.was} run={runBefore} runBefore={undefined} onOpen={onOpen} /></del> <span aria-hidden="true">→</span> <ins><CellView cell={cell.now} run={run} runBefore={undefined} onOpen={onOpen} /></ins>{by !== null && <small className="muted"> {by > 0 ? "+" : ""}{wordsOf(by)}</small>}</span>
    }
    const media = mediaOf(cell)
    if (media && run) {
        const source = fileAddress(run, media.path)
        if (media.kind === "image") return <button className="shot cell" aria-label={`Enlarge ${media.caption || media.path}`} onClick={() => onOpen({ run, step: 0, kind: "image", value: cell as Item["value"], path: media.path, mime: "" })}><img loading="lazy" src={source} alt="" /></button>
        if (media.kind === "audio") return <audio controls preload="none" src={source} aria-label={media.caption || media.path} />
        return <a className="text" href={`${source}?download=true`} download>{media.caption || media.path}</a>
    }
    const words = wordsOf(cell)
    // Of a long list or text no more is laid out than can be seen; search, sorting and the saved file have all of it.
    return <span className="cell-text" title={words.length > 40 || typeof cell === "number" ? exactOf(cell).slice(0, 1500) : undefined}>{words.slice(0, 200)}</span>
}
