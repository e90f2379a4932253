// One leaf of one group of rows: its pages, in order, until enough rows are read.
import type { Cell } from "../../table/cells"
import type { Fields, Leaf } from "./schema"
import { readStruct } from "./thrift"
import { unpacked } from "./unpack"
import { plain, runs } from "./values"

/** Values as they follow one another, with how much of their path is there and which list each of them goes on with. */
export interface Entries {
    values: Cell[]
    /** As many as there are optional and repeated places on the way: the value is there. */
    depths: ArrayLike<number>
    /** 0 begins a row. */
    repeats: ArrayLike<number>
}

const encodings = ["plain", "", "plain dictionary", "runs", "packed bits", "delta of numbers", "delta of lengths", "delta of texts", "dictionary", "split bytes"]

export async function readChunk(leaf: Leaf, meta: Fields, rows: number, source: (from: number, to: number) => Promise<Uint8Array>): Promise<Entries> {
    // The dictionary comes before the pages; some writers say no place for it.
    const start = Math.min(Number(meta[9]), Number(meta[11] ?? meta[9]) || Number(meta[9]))
    const bytes = await source(start, start + Number(meta[7]))
    const [codec, total] = [Number(meta[4]), Number(meta[5])]
    // A page cannot be larger than all of them together.
    const sizeMax = Number(meta[6])
    const found: { values: Cell[]; depths: number[]; repeats: number[] } = { values: [], depths: [], repeats: [] }
    let dictionary: Cell[] | null = null
    let begun = 0
    for (let at = 0; at < bytes.length && found.values.length < total;) {
        const head = readStruct(bytes, at)
        const [size, plainSize] = [Number(head.fields[3]), Number(head.fields[2])]
        if (!(size >= 0 && head.end + size <= bytes.length && plainSize >= 0 && plainSize <= sizeMax)) throw new Error("A page does not fit into its column.")
        const body = bytes.subarray(head.end, head.end + size)
        at = head.end + size
        const kind = Number(head.fields[1])
        if (kind === 2) {
            dictionary = plain(leaf, await unpacked(body, codec, plainSize), Number((head.fields[7] as Fields)[1]))
        } else if (kind === 0 || kind === 3) {
            const page = await readPage(leaf, body, head.fields, kind === 3, codec, dictionary, total - found.values.length)
            for (let index = 0; index < page.values.length; index += 1) {
                if (page.repeats[index] === 0) {
                    // The row before is whole only now.
                    if (begun === rows) return found
                    begun += 1
                }
                found.values.push(page.values[index])
                found.depths.push(page.depths[index]!)
                found.repeats.push(page.repeats[index]!)
            }
        }
    }
    if (begun < rows) throw new Error(`Its pages hold ${begun} rows where there should be ${rows} or more.`)
    return found
}

const widthOf = (most: number): number => 32 - Math.clz32(most)

async function readPage(leaf: Leaf, body: Uint8Array, head: Fields, isSecond: boolean, codec: number, dictionary: Cell[] | null, countMax: number): Promise<Entries> {
    const about = head[isSecond ? 8 : 5] as Fields
    const count = Number(about[1])
    if (!(count >= 0 && count <= countMax)) throw new Error("A page says that it holds more values than its column.")
    let repeats: ArrayLike<number> = new Uint8Array(count)
    let depths: ArrayLike<number> | null = null
    let data: Uint8Array
    let encoding: number
    if (isSecond) {
        // The levels lie before the values and are never packed.
        const [repeated, defined] = [Number(about[6] ?? 0), Number(about[5] ?? 0)]
        encoding = Number(about[4])
        if (leaf.repeats > 0) repeats = runs(body.subarray(0, repeated), widthOf(leaf.repeats), count)
        if (leaf.depth > 0) depths = runs(body.subarray(repeated, repeated + defined), widthOf(leaf.depth), count)
        const rest = body.subarray(repeated + defined)
        data = about[7] === false ? rest : await unpacked(rest, codec, Number(head[2]) - repeated - defined)
    } else {
        data = await unpacked(body, codec, Number(head[2]))
        encoding = Number(about[2])
        const levels = (most: number, writtenAs: unknown): Uint32Array => {
            if (writtenAs !== 3) throw new Error(`Its levels are written as ${encodings[Number(writtenAs)] || `encoding ${writtenAs}`}, which is not read here.`)
            if (data.length < 4) throw new Error("A page ends early.")
            const size = new DataView(data.buffer, data.byteOffset).getUint32(0, true)
            const found = runs(data.subarray(4, 4 + size), widthOf(most), count)
            data = data.subarray(4 + size)
            return found
        }
        if (leaf.repeats > 0) repeats = levels(leaf.repeats, about[4])
        if (leaf.depth > 0) depths = levels(leaf.depth, about[3])
    }
    let present = count
    if (depths) {
        present = 0
        for (let index = 0; index < count; index += 1) if (depths[index] === leaf.depth) present += 1
    }
    const values = readValues(leaf, data, encoding, present, dictionary)
    if (!depths) return { values, depths: new Uint8Array(count), repeats }
    let next = 0
    return { values: Array.from(depths, depth => (depth === leaf.depth ? values[next++] : null)), depths, repeats }
}

function readValues(leaf: Leaf, data: Uint8Array, encoding: number, count: number, dictionary: Cell[] | null): Cell[] {
    if (encoding === 0) return plain(leaf, data, count)
    if (encoding === 2 || encoding === 8) {
        if (!dictionary) throw new Error("Its dictionary is missing.")
        const places = count === 0 ? new Uint32Array() : runs(data.subarray(1), data[0]!, count)
        return Array.from(places, place => {
            if (place >= dictionary.length) throw new Error("A value is not in its dictionary.")
            return dictionary[place]
        })
    }
    if (encoding === 3 && leaf.type === 0) return Array.from(runs(data.subarray(4), 1, count), Boolean)
    throw new Error(`It is written as ${encodings[encoding] || `encoding ${encoding}`}, which is not read here.`)
}
