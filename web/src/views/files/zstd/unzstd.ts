// Zstandard as RFC 8878 describes it, since browsers do not unpack it everywhere: frames of blocks, blocks of literals and of
// sequences that say what is copied. Without dictionaries; checksums are passed over, as lengths and codes are checked throughout.
import { Backward, broken } from "./bits"
import { type StateTable, type Tree, oneSymbol, readLiterals, readShares, readTree, stateTable } from "./entropy"

const blockMax = 131_072

/** What one block leaves to the next. */
interface Frame { tree: Tree | null; lengths: StateTable | null; offsets: StateTable | null; matches: StateTable | null; recent: [number, number, number] }

class Output {
    place = 0
    constructor(readonly bytes: Uint8Array) {}

    need(count: number): void {
        if (this.place + count > this.bytes.length) throw broken(`it unpacks to more than the ${this.bytes.length} bytes that were announced`)
    }
}

/** The `size` bytes that were packed. */
export function unzstd(packed: Uint8Array, size: number): Uint8Array {
    const out = new Output(new Uint8Array(size))
    for (let at = 0; at < packed.length;) at = frame(packed, at, out)
    if (out.place !== size) throw broken(`it unpacks to ${out.place} bytes and not to the ${size} that were announced`)
    return out.bytes
}

/** A number of some bytes, the lowest first. */
function number(bytes: Uint8Array, at: number, count: number): number {
    if (at + count > bytes.length) throw broken("it ends early")
    let value = 0
    for (let byte = count - 1; byte >= 0; byte -= 1) value = value * 256 + bytes[at + byte]!
    return value
}

function frame(bytes: Uint8Array, start: number, out: Output): number {
    const magic = number(bytes, start, 4)
    // What a program left for itself is passed over.
    if (Math.floor(magic / 16) === 0x184d2a5) return start + 8 + number(bytes, start + 4, 4)
    if (magic !== 0xfd2fb528) throw broken("it does not begin as it should")
    const about = number(bytes, start + 4, 1)
    if (about & 8) throw broken("its head asks for what is not known")
    const isSingle = (about & 32) !== 0
    let at = start + 5 + (isSingle ? 0 : 1)
    const dictionary = [0, 1, 2, 4][about & 3]!
    if (number(bytes, at, dictionary) !== 0) throw new Error("The Zstandard data was packed with a dictionary, which the file does not hold.")
    at += dictionary + [isSingle ? 1 : 0, 2, 4, 8][about >> 6]!
    const known: Frame = { tree: null, lengths: null, offsets: null, matches: null, recent: [1, 4, 8] }
    const first = out.place
    for (let isLast = false; !isLast;) {
        const head = number(bytes, at, 3)
        at += 3
        isLast = (head & 1) === 1
        const [kind, size] = [(head >> 1) & 3, head >> 3]
        const end = kind === 1 ? at + 1 : at + size
        if (end > bytes.length) throw broken("it ends in the middle of a block")
        if (kind === 3 || (kind === 2 && size > blockMax)) throw broken("a block is of no known kind")
        if (kind === 2) block(bytes, at, end, known, out, first)
        else {
            out.need(size)
            if (kind === 0) out.bytes.set(bytes.subarray(at, end), out.place)
            else out.bytes.fill(bytes[at]!, out.place, out.place + size)
            out.place += size
        }
        at = end
    }
    return at + (about & 4 ? 4 : 0)
}

function block(bytes: Uint8Array, start: number, end: number, known: Frame, out: Output, frameStart: number): void {
    const found = literals(bytes, start, end, known)
    sequences(bytes, found.end, end, found.literals, known, out, frameStart)
}

function literals(bytes: Uint8Array, start: number, limit: number, known: Frame): { literals: Uint8Array; end: number } {
    const head = number(bytes, start, 1)
    const [kind, form] = [head & 3, (head >> 2) & 3]
    if (kind < 2) {
        const width = form === 1 ? 2 : form === 3 ? 3 : 1
        const size = number(bytes, start, width) >> (width === 1 ? 3 : 4)
        const at = start + width
        const end = at + (kind === 0 ? size : 1)
        if (size > blockMax || end > limit) throw broken("the literals of a block are too long")
        return { literals: kind === 0 ? bytes.subarray(at, end) : new Uint8Array(size).fill(bytes[at]!), end }
    }
    const [width, bits] = form < 2 ? [3, 10] : form === 2 ? [4, 14] : [5, 18]
    const sizes = Math.floor(number(bytes, start, width) / 16)
    const size = sizes % 2 ** bits
    const end = start + width + Math.floor(sizes / 2 ** bits)
    if (size > blockMax || end > limit) throw broken("the literals of a block are too long")
    let at = start + width
    if (kind === 2) {
        const read = readTree(bytes, at, end)
        known.tree = read.tree
        at = read.end
    }
    if (!known.tree) throw broken("a block needs the tree of one before, and there is none")
    const out = new Uint8Array(size)
    if (form === 0) {
        readLiterals(known.tree, bytes, at, end, out, 0, size)
        return { literals: out, end }
    }
    const quarter = (size + 3) >> 2
    const ends = [0, 2, 4].map(place => number(bytes, at + place, 2))
    let from = at + 6
    for (let stream = 0; stream < 4; stream += 1) {
        const to = stream < 3 ? from + ends[stream]! : end
        if (to > end) throw broken("the literals of a block are too long")
        readLiterals(known.tree, bytes, from, to, out, Math.min(size, stream * quarter), stream < 3 ? Math.min(size, (stream + 1) * quarter) : size)
        from = to
    }
    return { literals: out, end }
}

/** Where the lengths behind each code begin, and how many bits are added. */
function steps(plain: number, first: number, bits: number[]): { bases: number[]; bits: number[] } {
    const every = [...new Array<number>(plain).fill(0), ...bits]
    let base = first
    return { bases: every.map(width => { const now = base; base += 2 ** width; return now }), bits: every }
}
const literalSteps = steps(16, 0, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const matchSteps = steps(32, 3, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])

const ones = (count: number): number[] => new Array<number>(count).fill(1)
const lessThanOnce = (count: number): number[] => new Array<number>(count).fill(-1)
const kinds = {
    lengths: { logMax: 9, symbolsMax: 35, usual: stateTable(6, [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, ...lessThanOnce(4)]) },
    offsets: { logMax: 8, symbolsMax: 31, usual: stateTable(5, [1, 1, 1, 1, 1, 1, 2, 2, 2, ...ones(15), ...lessThanOnce(5)]) },
    matches: { logMax: 9, symbolsMax: 52, usual: stateTable(6, [1, 4, 3, 2, 2, 2, 2, 2, 2, ...ones(37), ...lessThanOnce(7)]) },
}

function sequences(bytes: Uint8Array, start: number, end: number, literal: Uint8Array, known: Frame, out: Output, frameStart: number): void {
    let at = start
    const head = at < end ? bytes[at]! : 0
    if (at >= end) throw broken("a block has no sequences")
    let count = head
    at += 1
    if (head === 255) {
        count = number(bytes, at, 2) + 0x7f00
        at += 2
    } else if (head >= 128) {
        count = (head - 128) * 256 + number(bytes, at, 1)
        at += 1
    }
    let used = 0
    if (count > 0) {
        const modes = number(bytes, at, 1)
        at += 1
        if (modes & 3) throw broken("the codes of its sequences are of no known kind")
        ;(["lengths", "offsets", "matches"] as const).forEach((name, index) => {
            const mode = (modes >> (6 - index * 2)) & 3
            const { logMax, symbolsMax, usual } = kinds[name]
            if (mode === 0) known[name] = usual
            else if (mode === 1) {
                const symbol = number(bytes, at, 1)
                if (symbol > symbolsMax) throw broken("a code of its sequences is not known")
                known[name] = oneSymbol(symbol)
                at += 1
            } else if (mode === 2) {
                const read = readShares(bytes, at, end, logMax, symbolsMax)
                known[name] = stateTable(read.log, read.shares)
                at = read.end
            } else if (!known[name]) throw broken("a block needs the codes of one before, and there are none")
        })
        const [lengths, offsets, matches] = [known.lengths!, known.offsets!, known.matches!]
        const stream = new Backward(bytes, at, end)
        let [lengthState, offsetState, matchState] = [stream.read(lengths.log), stream.read(offsets.log), stream.read(matches.log)]
        for (let sequence = 0; sequence < count; sequence += 1) {
            const offsetCode = offsets.symbols[offsetState]!
            const offset = 2 ** offsetCode + stream.read(offsetCode)
            const matchCode = matches.symbols[matchState]!
            const match = matchSteps.bases[matchCode]! + stream.read(matchSteps.bits[matchCode]!)
            const lengthCode = lengths.symbols[lengthState]!
            const length = literalSteps.bases[lengthCode]! + stream.read(literalSteps.bits[lengthCode]!)
            if (sequence < count - 1) {
                lengthState = lengths.bases[lengthState]! + stream.read(lengths.bits[lengthState]!)
                matchState = matches.bases[matchState]! + stream.read(matches.bits[matchState]!)
                offsetState = offsets.bases[offsetState]! + stream.read(offsets.bits[offsetState]!)
            }
            if (stream.left < 0) throw broken("its sequences end early")
            const back = distance(offset, length, known.recent)
            if (used + length > literal.length) throw broken("it copies more literals than there are")
            out.need(length + match)
            out.bytes.set(literal.subarray(used, used + length), out.place)
            used += length
            out.place += length
            if (back <= 0 || back > out.place - frameStart) throw broken("it copies from before its beginning")
            copy(out, back, match)
        }
        if (stream.left !== 0) throw broken("its sequences do not end where they should")
    } else if (at !== end) throw broken("something follows its last sequence")
    out.need(literal.length - used)
    out.bytes.set(literal.subarray(used), out.place)
    out.place += literal.length - used
}

/** How far back it is copied from: a distance of its own, or one of the last three. */
function distance(offset: number, literals: number, recent: [number, number, number]): number {
    const which = offset > 3 ? 3 : offset - 1 + (literals === 0 ? 1 : 0)
    if (which === 0) return recent[0]
    const back = offset > 3 ? offset - 3 : which === 3 ? recent[0] - 1 : recent[which]!
    if (which > 1) recent[2] = recent[1]
    recent[1] = recent[0]
    recent[0] = back
    return back
}

function copy(out: Output, back: number, count: number): void {
    const { bytes, place } = out
    if (back >= count) bytes.copyWithin(place, place - back, place - back + count)
    // Byte by byte: a copy may overlap itself.
    else for (let at = place; at < place + count; at += 1) bytes[at] = bytes[at - back]!
    out.place += count
}
