// Logged tables at the step: one run's table at a time, or what differs between two of any runs and steps.
import "../../core"
import { useMemo, useState } from "react"
import { useResource } from "../../api/resource"
import { formatCount } from "../../ui/format"
import { Failure, Skeleton } from "../../ui/parts"
import { type Item, fileAddress } from "../media/sources"
import DataTable from "./DataTable"
import { type Cell, type Grid, differenceOf, keyOf } from "./cells"

const nameOfItem = (item: Item): string => `${item.run} ${item.step}`
const byPlace = "\n"

/** The Python package's `{columns, data}`; NaN and the infinities stand bare in it, as Python writes them. */
async function tableOf(item: Item): Promise<Grid> {
    const inline = item.value as { columns?: string[]; data?: Cell[][]; rows?: Cell[][] }
    if (!item.path) return { columns: inline.columns ?? [], rows: inline.data ?? (Array.isArray(inline.rows) ? inline.rows : []) }
    const answer = await fetch(fileAddress(item.run, item.path))
    if (!answer.ok) throw new Error(`The table is not readable: the server answered ${answer.status}.`)
    const text = await answer.text()
    let found: { columns?: string[]; data?: Cell[][] }
    try {
        found = JSON.parse(text)
    } catch {
        found = JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|\bNaN\b|-?\bInfinity\b/g, (bare, quoted: string | undefined) => quoted ?? `"${bare}"`))
    }
    return { columns: found.columns ?? [], rows: found.data ?? [] }
}

export default function RichTable({ items, shown, nameOf }: { items: Item[]; shown: Item[]; nameOf: (run: string) => string }): JSX.Element {
    const [run, setRun] = useState("")
    const [other, setOther] = useState("")
    const [isAll, setAll] = useState(false)
    const [key, setKey] = useState<string | null>(null)
    const now = shown.find(item => item.run === run) ?? shown[0]!
    const was = other ? items.find(item => nameOfItem(item) === other) : undefined
    const title = (item: Item): string => `${nameOf(item.run)}, step ${formatCount(item.step)}`
    const tables = useResource(`table/${nameOfItem(now)}/${now.path}|${was ? `${nameOfItem(was)}/${was.path}` : ""}`, () => Promise.all([tableOf(now), was ? tableOf(was) : null]))
    const [table, before] = tables.data ?? []
    const match = before && table ? (key === byPlace ? null : key !== null && table.columns.includes(key) && before.columns.includes(key) ? key : keyOf(before, table)) : null
    const found = useMemo(() => (before && table ? differenceOf(before, table, match) : null), [before, table, match])
    const grid = useMemo(() => (found && !isAll ? { ...found.grid, rows: found.grid.rows.filter(row => row[0] !== "same") } : found ? found.grid : table), [found, isAll, table])
    const tools = (
        <>
            {shown.length > 1 && <label className="label">Run <select className="select" value={now.run} onChange={event => setRun(event.target.value)}>{Array.from(new Set(shown.map(item => item.run))).map(one => <option key={one} value={one}>{nameOf(one)}</option>)}</select></label>}
            {items.length > 1 && <label className="label">Compare with <select className="select" value={other} onChange={event => setOther(event.target.value)}><option value="">nothing</option>{items.filter(item => item !== now).map(item => <option key={nameOfItem(item)} value={nameOfItem(item)}>{title(item)}</option>)}</select></label>}
            {found && table && before && <>
                <label className="label">Match by <select className="select" value={match ?? byPlace} onChange={event => setKey(event.target.value)}><option value={byPlace}>place</option>{table.columns.filter(column => before.columns.includes(column)).map(column => <option key={column} value={column}>{column}</option>)}</select></label>
                <button className="button" aria-pressed={isAll} onClick={() => setAll(!isAll)}>Equal rows too</button>
            </>}
        </>
    )
    return (
        <div className="card" style={{ padding: 10 }}>
            {found && was && <p className="note" role="status"><b>{title(now)}</b> beside <b>{title(was)}</b>: {formatCount(found.counts.changed)} changed, {formatCount(found.counts.added)} added, {formatCount(found.counts.removed)} removed, {formatCount(found.counts.same)} equal.</p>}
            {tables.error ? <Failure error={tables.error} again={tables.reload} /> : !grid ? <Skeleton rows={5} />
                : <DataTable name={title(now)} grid={grid} run={now.run} {...(was ? { runBefore: was.run } : {})} tools={tools} />}
        </div>
    )
}
