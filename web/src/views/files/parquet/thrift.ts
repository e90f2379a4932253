// Thrift's compact protocol, which Parquet describes itself in: a struct becomes its fields by number.

type Fields = Record<number, unknown>

export function readStruct(bytes: Uint8Array, start: number): { fields: Fields; end: number } {
    let at = start
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const varint = (): bigint => {
        let value = 0n
        for (let shift = 0n; ; shift += 7n) {
            if (at >= bytes.length) throw new Error("The file ends in the middle of its description.")
            const byte = bytes[at++]!
            value |= BigInt(byte & 127) << shift
            if (byte < 128) return value
        }
    }
    // Each element has a byte at least.
    const fits = (count: number): void => { if (count > bytes.length - at) throw new Error("The description of the file is damaged: it ends in the middle of a list or text.") }
    const signed = (): bigint => { const value = varint(); return (value >> 1n) ^ -(value & 1n) }
    const value = (type: number): unknown => {
        switch (type) {
            case 1: return true
            case 2: return false
            case 3: return view.getInt8(at++)
            case 4: case 5: return Number(signed())
            case 6: { const number = signed(); return number >= -9007199254740991n && number <= 9007199254740991n ? Number(number) : number }
            case 7: at += 8; return view.getFloat64(at - 8, true)
            case 8: { const length = Number(varint()); fits(length); at += length; return bytes.subarray(at - length, at) }
            case 9: case 10: {
                const head = bytes[at++]!
                const count = head >> 4 === 15 ? Number(varint()) : head >> 4
                const kind = head & 15
                fits(count)
                // In a list, a truth is a byte of its own.
                return Array.from({ length: count }, () => (kind === 1 || kind === 2 ? bytes[at++] === 1 : value(kind)))
            }
            case 11: {
                const count = Number(varint())
                const kinds = count ? bytes[at++]! : 0
                fits(count)
                return Array.from({ length: count }, () => [value(kinds >> 4), value(kinds & 15)])
            }
            case 12: return struct()
            default: throw new Error(`The description of the file holds a field of the unknown type ${type}.`)
        }
    }
    const struct = (): Fields => {
        const fields: Fields = {}
        let last = 0
        for (;;) {
            const head = bytes[at++]
            if (head === undefined) throw new Error("The file ends in the middle of its description.")
            if (head === 0) return fields
            last = head >> 4 ? last + (head >> 4) : Number(signed())
            fields[last] = value(head & 15)
        }
    }
    const fields = struct()
    return { fields, end: at }
}
