// A Parquet file as a table: its first rows, read by ranges, and its columns with what cannot be read of them.
import "../../../core"
import { useMemo, useState } from "react"
import { useResource } from "../../../api/resource"
import { formatCount, plural } from "../../../ui/format"
import { Failure, Skeleton } from "../../../ui/parts"
import DataTable from "../../table/DataTable"
import type { Grid } from "../../table/cells"
import { type ParquetFile, openParquet } from "./open"

const rowsAtFirst = 1000
const columnsMax = 200

async function range(address: string, from: number, to: number): Promise<Uint8Array> {
    if (to <= from) return new Uint8Array()
    const answer = await fetch(address, { headers: { Range: `bytes=${from}-${to - 1}` } })
    if (!answer.ok) throw new Error(`The file is not readable: the server answered ${answer.status}.`)
    const bytes = new Uint8Array(await answer.arrayBuffer())
    // A proxy on the way may know no ranges.
    return answer.status === 206 ? bytes : bytes.slice(from, to)
}

export default function ParquetTable({ source, size, name }: { source: string; size: number; name: string }): JSX.Element {
    const [rows, setRows] = useState(rowsAtFirst)
    const opened = useResource(`parquet/${source}`, () => openParquet(size, (from, to) => range(source, from, to)))
    const file = opened.data
    const table = useResource(file ? `parquet/${source}|${rows}` : null, () => gridOf(file!, rows))
    const schema = useMemo((): Grid | null => file ? { columns: ["column", "type", "read"], rows: file.columns.map(column => [column.name, column.type, column.why || "yes"]) } : null, [file])
    if (opened.error) return <Failure error={opened.error} />
    if (!file || !schema) return <Skeleton />
    const unread = file.columns.filter(column => !column.read)
    const shown = Math.min(rows, file.rows)
    return (
        <>
            <p className="note"><b>{plural(file.rows, "row")}</b>, {plural(file.columns.length, "column")}{file.writer && <span className="muted"> · written by {file.writer}</span>}</p>
            {unread.length > 0 && <div className="message" role="note"><b>{unread.length === file.columns.length ? "No column can be shown" : `${plural(unread.length, "column")} left out`}:</b> {Array.from(new Set(unread.map(column => column.why))).join("; ")}. In Python, <code>pyarrow.parquet.read_table({JSON.stringify(name.split("/").pop())})</code> reads all of it.</div>}
            {table.error ? <Failure error={table.error} /> : unread.length < file.columns.length && (table.data ? <DataTable name={name} grid={table.data} foot={shown < file.rows ? `The first ${formatCount(shown)} of ${formatCount(file.rows)} rows; sorting and filters look at these.` : ""} /> : <Skeleton />)}
            {shown < file.rows && unread.length < file.columns.length && <button className="button" onClick={() => setRows(rows * 10)}>Read {formatCount(Math.min(file.rows, rows * 10))} rows</button>}
            <details style={{ marginTop: 12 }} open={unread.length === file.columns.length}><summary>Columns</summary><DataTable name={`columns of ${name}`} grid={schema} /></details>
        </>
    )
}

async function gridOf(file: ParquetFile, rows: number): Promise<Grid> {
    const readable = file.columns.filter(column => column.read).slice(0, columnsMax)
    const values = await Promise.all(readable.map(column => column.read!(rows)))
    const count = Math.max(0, ...values.map(column => column.length))
    return { columns: readable.map(column => column.name), rows: Array.from({ length: count }, (_, row) => values.map(column => column[row])) }
}
