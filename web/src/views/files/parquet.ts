// Reads Parquet files of flat columns: the footer, then only the parts that are shown. Plain and dictionary pages, both page
// versions, packed by Snappy, gzip or not at all. What it cannot read it names, and does not guess.
import type { Cell } from "../table/cells"
import { readStruct } from "./thrift"
import { unsnap } from "./snappy"

export interface Column { name: string; type: string; read: ((rows: number) => Promise<Cell[]>) | null; why: string }
export interface ParquetFile { rows: number; columns: Column[]; writer: string }

/** Bytes from one place up to another. */
export type Source = (from: number, to: number) => Promise<Uint8Array>

const types = ["boolean", "int32", "int64", "int96", "float", "double", "bytes", "fixed bytes"]
const codecs = ["none", "Snappy", "gzip", "LZO", "Brotli", "LZ4", "Zstandard", "LZ4 raw"]
const encodings = ["plain", "", "plain dictionary", "runs", "packed bits", "delta of numbers", "delta of lengths", "delta of texts", "dictionary", "split bytes"]

// TypeScript's own list of what browsers have is older than this one.
declare const DecompressionStream: new (format: "gzip") => ReadableWritablePair<Uint8Array, Uint8Array>

interface Leaf { name: string; type: number; size: number; isOptional: boolean; isNested: boolean; logical: Record<number, unknown> | undefined; converted: number | undefined }
type Fields = Record<number, unknown>

export async function openParquet(size: number, source: Source): Promise<ParquetFile> {
    const end = await source(Math.max(0, size - 65_536), size)
    const view = new DataView(end.buffer, end.byteOffset, end.byteLength)
    if (size < 12 || new TextDecoder().decode(end.slice(-4)) !== "PAR1") throw new Error("This is no Parquet file, or its end is missing.")
    const length = view.getUint32(end.length - 8, true)
    const footer = length + 8 <= end.length ? end.slice(end.length - 8 - length, end.length - 8) : await source(size - 8 - length, size - 8)
    const meta = readStruct(footer, 0).fields
    const schema = meta[2] as Fields[]
    const leaves = leavesOf(schema)
    const groups = (meta[4] as Fields[] | undefined) ?? []
    return {
        rows: Number(meta[3] ?? 0), writer: textOf(meta[6]),
        columns: leaves.map((leaf, place) => {
            const chunks = groups.map(group => ({ rows: Number(group[3]), meta: ((group[1] as Fields[])[place]?.[3] ?? {}) as Fields }))
            const codec = chunks.map(chunk => Number(chunk.meta[4])).find(one => one > 2)
            const why = leaf.isNested ? "lists and structs are not read here" : codec !== undefined ? `packed by ${codecs[codec] ?? codec}, which browsers do not unpack` : leaf.type === 3 ? "times of 96 bits are not read here" : ""
            return { name: leaf.name, type: typeOf(leaf), why, read: why ? null : rows => readColumn(leaf, chunks, rows, source) }
        }),
    }
}

/** The columns; what lies in groups or repeats is one column each, by its path. */
function leavesOf(schema: Fields[]): Leaf[] {
    const leaves: Leaf[] = []
    let place = 1
    const walk = (path: string[], isNested: boolean): void => {
        const element = schema[place++]!
        const name = [...path, textOf(element[4])]
        const isRepeated = element[3] === 2
        const children = Number(element[5] ?? 0)
        if (children > 0) for (let child = 0; child < children; child += 1) walk(name, true)
        else leaves.push({ name: name.join("."), type: Number(element[1]), size: Number(element[2] ?? 0), isOptional: element[3] === 1, isNested: isNested || isRepeated, logical: element[10] as Fields | undefined, converted: element[6] as number | undefined })
    }
    while (place < schema.length) walk([], false)
    return leaves
}

const textOf = (value: unknown): string => (value instanceof Uint8Array ? new TextDecoder().decode(value) : "")
const isText = (leaf: Leaf): boolean => leaf.type === 6 && (leaf.converted === 0 || leaf.converted === 4 || leaf.converted === 19 || [1, 4, 12].some(kind => leaf.logical?.[kind] !== undefined))

/** Milliseconds in one unit of a time; null where it is none. */
function timeUnit(leaf: Leaf): number | null {
    const unit = ((leaf.logical?.[8] as Fields | undefined)?.[2] ?? {}) as Fields
    if (leaf.logical?.[8] !== undefined) return unit[1] !== undefined ? 1 : unit[2] !== undefined ? 1e-3 : 1e-6
    return leaf.converted === 9 ? 1 : leaf.converted === 10 ? 1e-3 : null
}

const isDate = (leaf: Leaf): boolean => leaf.converted === 6 || leaf.logical?.[6] !== undefined
const scaleOf = (leaf: Leaf): number | null => { const decimal = leaf.logical?.[5] as Fields | undefined; return decimal ? Number(decimal[1] ?? 0) : null }

function typeOf(leaf: Leaf): string {
    return isText(leaf) ? "text" : timeUnit(leaf) !== null ? "time" : isDate(leaf) ? "date" : scaleOf(leaf) !== null ? "decimal" : types[leaf.type] ?? "unknown"
}

async function readColumn(leaf: Leaf, chunks: { rows: number; meta: Fields }[], rows: number, source: Source): Promise<Cell[]> {
    const found: Cell[] = []
    for (const chunk of chunks) {
        if (found.length >= rows) break
        const { meta } = chunk
        // The dictionary comes before the pages; some writers say no place for it.
        const start = Math.min(Number(meta[9]), Number(meta[11] ?? meta[9]) || Number(meta[9]))
        const bytes = await source(start, start + Number(meta[7]))
        let dictionary: Cell[] | null = null
        for (let at = 0, seen = 0; at < bytes.length && seen < chunk.rows && found.length < rows;) {
            const head = readStruct(bytes, at)
            const size = Number(head.fields[3])
            const body = bytes.subarray(head.end, head.end + size)
            at = head.end + size
            const kind = Number(head.fields[1])
            const codec = Number(meta[4])
            if (kind === 2) {
                const plainBytes = await unpacked(body, codec, Number(head.fields[2]))
                dictionary = plain(leaf, plainBytes, Number((head.fields[7] as Fields)[1]))
            } else if (kind === 0 || kind === 3) {
                const values = await page(leaf, body, head.fields, kind === 3, codec, dictionary)
                seen += values.length
                for (const value of values) found.push(value)
            }
        }
    }
    return found.slice(0, rows)
}

async function page(leaf: Leaf, body: Uint8Array, head: Fields, isSecond: boolean, codec: number, dictionary: Cell[] | null): Promise<Cell[]> {
    const about = head[isSecond ? 8 : 5] as Fields
    const count = Number(about[1])
    let levels: Uint32Array | null = null
    let data: Uint8Array
    let encoding: number
    if (isSecond) {
        // The levels lie before the values and are never packed.
        const [before, defined] = [Number(about[6] ?? 0), Number(about[5] ?? 0)]
        encoding = Number(about[4])
        if (leaf.isOptional) levels = runs(body.subarray(before, before + defined), 1, count)
        const rest = body.subarray(before + defined)
        data = about[7] === false ? rest : await unpacked(rest, codec, Number(head[2]) - before - defined)
    } else {
        data = await unpacked(body, codec, Number(head[2]))
        encoding = Number(about[2])
        if (leaf.isOptional) {
            const size = new DataView(data.buffer, data.byteOffset).getUint32(0, true)
            levels = runs(data.subarray(4, 4 + size), 1, count)
            data = data.subarray(4 + size)
        }
    }
    const present = levels ? levels.reduce((sum, one) => sum + one, 0) : count
    let values: Cell[]
    if (encoding === 0) values = plain(leaf, data, present)
    else if (encoding === 2 || encoding === 8) {
        if (!dictionary) throw new Error(`The dictionary of “${leaf.name}” is missing.`)
        const places = present === 0 ? new Uint32Array() : runs(data.subarray(1), data[0]!, present)
        values = Array.from(places, place => dictionary[place])
    } else if (encoding === 3 && leaf.type === 0) values = Array.from(runs(data.subarray(4), 1, present), Boolean)
    else throw new Error(`“${leaf.name}” is written as ${encodings[encoding] || `encoding ${encoding}`}, which is not read here.`)
    if (!levels) return values
    let next = 0
    return Array.from(levels, level => (level ? values[next++] : null))
}

async function unpacked(bytes: Uint8Array, codec: number, size: number): Promise<Uint8Array> {
    if (codec === 0 || bytes.length === 0) return bytes
    if (codec === 1) return unsnap(bytes, size)
    if (codec !== 2) throw new Error(`${codecs[codec] ?? codec} is not unpacked here.`)
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
    return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Runs of one value and runs of packed bits, in turn. */
function runs(bytes: Uint8Array, width: number, count: number): Uint32Array {
    const found = new Uint32Array(count)
    let at = 0
    let place = 0
    while (place < count && at < bytes.length) {
        let head = 0
        for (let shift = 0; ; shift += 7) {
            const byte = bytes[at++] ?? 0
            head += (byte & 127) * 2 ** shift
            if (byte < 128) break
        }
        const length = Math.floor(head / 2)
        if (head % 2 === 0) {
            let value = 0
            for (let byte = 0; byte < Math.ceil(width / 8); byte += 1) value += (bytes[at++] ?? 0) * 256 ** byte
            found.fill(value, place, Math.min(count, place + length))
            place += length
        } else {
            const end = at + length * width
            for (let bit = at * 8, number = 0; number < length * 8 && place < count; number += 1) {
                let value = 0
                for (let one = 0; one < width; one += 1, bit += 1) value += (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) * 2 ** one
                found[place++] = value
            }
            at = end
        }
    }
    return found
}

function plain(leaf: Leaf, bytes: Uint8Array, count: number): Cell[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const text = new TextDecoder()
    const [unit, scale] = [timeUnit(leaf), scaleOf(leaf)]
    const whole = (value: bigint): Cell => (unit !== null ? new Date(unit === 1 ? Number(value) : Number(value / BigInt(Math.round(1 / unit)))) : scale !== null ? Number(value) / 10 ** scale : value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value)
    const decimal = (part: Uint8Array): Cell => Number(BigInt.asIntN(part.length * 8, part.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n))) / 10 ** scale!
    // Columns without a text are shown by their first bytes.
    const blob = (part: Uint8Array): Cell => (scale !== null ? decimal(part) : isText(leaf) ? text.decode(part) : Array.from(part.subarray(0, 16), byte => byte.toString(16).padStart(2, "0")).join("") + (part.length > 16 ? `… ${part.length} bytes` : ""))
    let at = 0
    return Array.from({ length: count }, (_, index): Cell => {
        switch (leaf.type) {
            case 0: return ((bytes[index >> 3]! >> (index & 7)) & 1) === 1
            case 1: { const value = view.getInt32(index * 4, true); return isDate(leaf) ? new Date(value * 86_400_000).toISOString().slice(0, 10) : scale !== null ? value / 10 ** scale : leaf.converted === 13 ? value >>> 0 : value }
            case 2: return whole(leaf.converted === 14 ? view.getBigUint64(index * 8, true) : view.getBigInt64(index * 8, true))
            case 4: return view.getFloat32(index * 4, true)
            case 5: return view.getFloat64(index * 8, true)
            case 7: return blob(bytes.subarray(index * leaf.size, (index + 1) * leaf.size))
            default: {
                const size = view.getUint32(at, true)
                at += 4 + size
                return blob(bytes.subarray(at - size, at))
            }
        }
    })
}
