// Values as they lie in a page: one after another, or runs of numbers.
import type { Cell } from "../../table/cells"
import { type Leaf, isDate, isText, scaleOf, timeUnit } from "./schema"

const early = "A page ends early."

/** Runs of one value and runs of packed bits, in turn. */
export function runs(bytes: Uint8Array, width: number, count: number): Uint32Array {
    const found = new Uint32Array(count)
    if (width === 0) return found
    if (width > 32) throw new Error("A page says that its numbers have more than 32 bits.")
    let at = 0
    let place = 0
    while (place < count) {
        let head = 0
        for (let shift = 0; ; shift += 7) {
            if (at >= bytes.length || shift > 28) throw new Error(early)
            const byte = bytes[at++]!
            head += (byte & 127) * 2 ** shift
            if (byte < 128) break
        }
        const length = Math.floor(head / 2)
        if (length === 0) throw new Error("A page holds a run of nothing.")
        if (head % 2 === 0) {
            const wide = Math.ceil(width / 8)
            if (at + wide > bytes.length) throw new Error(early)
            let value = 0
            for (let byte = 0; byte < wide; byte += 1) value += bytes[at++]! * 256 ** byte
            found.fill(value, place, Math.min(count, place + length))
            place += length
        } else {
            // The last run is padded to whole bytes, and some writers leave the padding away.
            const wanted = Math.min(length * 8, count - place)
            if (at * 8 + wanted * width > bytes.length * 8) throw new Error(early)
            for (let bit = at * 8, number = 0; number < wanted; number += 1) {
                let value = 0
                for (let one = 0; one < width; one += 1, bit += 1) value += ((bytes[bit >> 3]! >> (bit & 7)) & 1) * 2 ** one
                found[place++] = value
            }
            at += length * width
        }
    }
    return found
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("")

export function plain(leaf: Leaf, bytes: Uint8Array, count: number): Cell[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const text = new TextDecoder()
    const [unit, scale] = [timeUnit(leaf), scaleOf(leaf)]
    const width = [1 / 8, 4, 8, 12, 4, 8, 4, leaf.size][leaf.type] ?? 0
    if (count * width > bytes.length) throw new Error(early)
    const whole = (value: bigint): Cell => (unit !== null ? new Date(unit === 1 ? Number(value) : Number(value / BigInt(Math.round(1 / unit)))) : scale !== null ? Number(value) / 10 ** scale : value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value)
    const decimal = (part: Uint8Array): Cell => Number(BigInt.asIntN(part.length * 8, part.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n))) / 10 ** scale!
    // Columns without a text are shown by their first bytes.
    const blob = (part: Uint8Array): Cell => (scale !== null ? decimal(part) : isText(leaf) ? text.decode(part) : hex(part.subarray(0, 16)) + (part.length > 16 ? `… ${part.length} bytes` : ""))
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
                if (at + 4 > bytes.length) throw new Error(early)
                const size = view.getUint32(at, true)
                at += 4 + size
                if (at > bytes.length) throw new Error(early)
                return blob(bytes.subarray(at - size, at))
            }
        }
    })
}
