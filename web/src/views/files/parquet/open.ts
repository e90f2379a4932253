// Reads Parquet files: the footer, then only the parts that are shown. Plain and dictionary pages, both page versions, lists,
// structs and maps, packed by Snappy, gzip, Zstandard, LZ4 or not at all. What it cannot read it names, and does not guess.
import type { Cell } from "../../table/cells"
import { assembled } from "./assembly"
import { type Entries, readChunk } from "./chunk"
import { type Fields, type Node, columnsOf, leavesOf, textOf, typeOf } from "./schema"
import { readStruct } from "./thrift"
import { whyNot } from "./unpack"

export interface Column { name: string; type: string; read: ((rows: number) => Promise<Cell[]>) | null; why: string }
export interface ParquetFile { rows: number; columns: Column[]; writer: string }

/** Bytes from one place up to another. */
export type Source = (from: number, to: number) => Promise<Uint8Array>

interface Group { rows: number; chunks: Fields[] }

export async function openParquet(size: number, source: Source): Promise<ParquetFile> {
    const end = await source(Math.max(0, size - 65_536), size)
    const mark = new TextDecoder().decode(end.slice(-4))
    if (mark === "PARE") throw new Error("This Parquet file is encrypted, which is not read here.")
    if (size < 12 || mark !== "PAR1") throw new Error("This is no Parquet file, or its end is missing.")
    const length = new DataView(end.buffer, end.byteOffset, end.byteLength).getUint32(end.length - 8, true)
    if (length + 12 > size) throw new Error(`The description of the file should have ${length} bytes, and the whole file has ${size}.`)
    const footer = length + 8 <= end.length ? end.slice(end.length - 8 - length, end.length - 8) : await source(size - 8 - length, size - 8)
    return described("The description of the file is damaged", () => {
        const meta = readStruct(footer, 0).fields
        const columns = columnsOf(meta[2] as Fields[])
        const groups = ((meta[4] as Fields[] | undefined) ?? []).map(group => ({ rows: Number(group[3]), chunks: (group[1] as Fields[]).map(chunk => (chunk[3] ?? {}) as Fields) }))
        return {
            rows: Number(meta[3] ?? 0), writer: textOf(meta[6]),
            columns: columns.map(column => {
                const why = whyUnread(column, groups)
                return { name: column.name, type: typeOf(column), why, read: why ? null : rows => readColumn(column, groups, rows, source) }
            }),
        }
    })
}

function whyUnread(column: Node, groups: Group[]): string {
    for (const leaf of leavesOf(column)) {
        if (leaf.type === 3) return "times of 96 bits are not read here"
        for (const group of groups) {
            const why = whyNot(Number(group.chunks[leaf.place]?.[4] ?? 0))
            if (why) return why
        }
    }
    return leavesOf(column).length === 0 ? "there is nothing in it" : ""
}

async function readColumn(column: Node, groups: Group[], rows: number, source: Source): Promise<Cell[]> {
    const found: Cell[] = []
    for (const group of groups) {
        const wanted = Math.min(group.rows, rows - found.length)
        if (wanted <= 0) break
        try {
            const leaves = new Map<number, Entries>()
            await Promise.all(leavesOf(column).map(async leaf => leaves.set(leaf.place, await readChunk(leaf, group.chunks[leaf.place]!, wanted, source))))
            const cells = column.leaf && column.leaf.repeats === 0 ? leaves.get(column.leaf.place)!.values : assembled(column, leaves, wanted)
            for (const cell of cells) found.push(cell)
        } catch (error) {
            throw new Error(`“${column.name}” cannot be read: ${sentence(error)}`)
        }
    }
    return found
}

/** What the engine itself says of bytes that are not there is no help to the reader. */
function sentence(error: unknown): string {
    return error instanceof RangeError || error instanceof TypeError ? "its bytes are not what the file says that they are." : (error as Error).message
}

function described<Found>(what: string, read: () => Found): Found {
    try {
        return read()
    } catch (error) {
        throw error instanceof RangeError || error instanceof TypeError ? new Error(`${what}.`) : error
    }
}
