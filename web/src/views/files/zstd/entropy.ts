// The two codes of Zstandard: states that go on to states (FSE), and Huffman's tree for literals.
import { Backward, Forward, broken } from "./bits"

/** For each state: what it stands for, how many bits follow, and from where the next state is counted. */
export interface StateTable { log: number; symbols: Uint8Array; bits: Uint8Array; bases: Uint16Array }

/** How often each symbol occurs, as the data says; −1 is less than once. */
export function readShares(bytes: Uint8Array, start: number, end: number, logMax: number, symbolsMax: number): { log: number; shares: number[]; end: number } {
    const bits = new Forward(bytes, start, end)
    const log = bits.read(4) + 5
    if (log > logMax) throw broken("a table is larger than the format allows")
    const shares: number[] = []
    let rest = (1 << log) + 1
    while (rest > 1) {
        if (shares.length > symbolsMax) throw broken("a table names too many symbols")
        const width = 32 - Math.clz32(rest)
        const low = (1 << (width - 1)) - 1
        const spare = (1 << width) - 1 - rest
        let value = bits.read(width)
        if ((value & low) < spare) {
            bits.unread(1)
            value &= low
        } else if (value > low) value -= spare
        const share = value - 1
        rest -= Math.abs(share)
        shares.push(share)
        if (share === 0) {
            for (let more = 3; more === 3;) {
                more = bits.read(2)
                for (let zero = 0; zero < more; zero += 1) shares.push(0)
            }
        }
    }
    if (rest !== 1 || shares.length > symbolsMax + 1) throw broken("the shares of a table do not add up")
    return { log, shares, end: bits.byte }
}

export function stateTable(log: number, shares: readonly number[]): StateTable {
    const size = 1 << log
    const symbols = new Uint8Array(size)
    const next = shares.map(share => (share < 0 ? 1 : share))
    let high = size
    shares.forEach((share, symbol) => { if (share < 0) symbols[--high] = symbol })
    const step = (size >> 1) + (size >> 3) + 3
    let place = 0
    shares.forEach((share, symbol) => {
        for (let one = 0; one < share; one += 1) {
            symbols[place] = symbol
            do place = (place + step) & (size - 1); while (place >= high)
        }
    })
    const bits = new Uint8Array(size)
    const bases = new Uint16Array(size)
    for (let state = 0; state < size; state += 1) {
        const count = next[symbols[state]!]!++
        bits[state] = log - (31 - Math.clz32(count))
        bases[state] = (count << bits[state]!) - size
    }
    return { log, symbols, bits, bases }
}

/** A table of one symbol, which takes no bits. */
export function oneSymbol(symbol: number): StateTable {
    return { log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) }
}

/** For the next `log` bits: which literal they begin with, and how many of them it takes. */
export interface Tree { log: number; symbols: Uint8Array; bits: Uint8Array }

const treeLogMax = 11

export function readTree(bytes: Uint8Array, start: number, limit: number): { tree: Tree; end: number } {
    const head = start < limit ? bytes[start]! : 0
    const end = start + 1 + (head < 128 ? head : (head - 126) >> 1)
    if (end > limit || head === 0) throw broken("the tree of the literals ends early")
    const weights: number[] = []
    if (head >= 128) {
        for (let symbol = 0; symbol < head - 127; symbol += 1) weights.push(symbol % 2 ? bytes[start + 1 + (symbol >> 1)]! & 15 : bytes[start + 1 + (symbol >> 1)]! >> 4)
    } else readWeights(bytes, start + 1, end, weights)
    let total = 0
    for (const weight of weights) {
        if (weight > treeLogMax) throw broken("the tree of the literals is too deep")
        if (weight) total += 1 << (weight - 1)
    }
    // The last weight is not written: it fills what the others leave of a power of two.
    const log = 32 - Math.clz32(total)
    const rest = (1 << log) - total
    if (total === 0 || log > treeLogMax || (rest & (rest - 1)) !== 0 || weights.length > 255) throw broken("the tree of the literals does not add up")
    weights.push(32 - Math.clz32(rest))
    const symbols = new Uint8Array(1 << log)
    const bits = new Uint8Array(1 << log)
    let place = 0
    for (let weight = 1; weight <= log; weight += 1) {
        weights.forEach((one, symbol) => {
            if (one !== weight) return
            const next = place + (1 << (weight - 1))
            symbols.fill(symbol, place, next)
            bits.fill(log + 1 - weight, place, next)
            place = next
        })
    }
    return { tree: { log, symbols, bits }, end }
}

/** Weights of the tree by two states in turn, until the bits end. */
function readWeights(bytes: Uint8Array, start: number, end: number, weights: number[]): void {
    const { log, shares, end: at } = readShares(bytes, start, end, 6, 255)
    const table = stateTable(log, shares)
    const stream = new Backward(bytes, at, end)
    const states = [stream.read(log), stream.read(log)]
    if (stream.left < 0) throw broken("the tree of the literals ends early")
    for (let turn = 0; ; turn = 1 - turn) {
        const state = states[turn]!
        weights.push(table.symbols[state]!)
        if (weights.length > 254) throw broken("the tree of the literals names too many symbols")
        states[turn] = table.bases[state]! + stream.read(table.bits[state]!)
        if (stream.left < 0) {
            weights.push(table.symbols[states[1 - turn]!]!)
            return
        }
    }
}

/** Literals of one stream into a part of `out`; the stream must end with them. */
export function readLiterals(tree: Tree, bytes: Uint8Array, start: number, end: number, out: Uint8Array, from: number, to: number): void {
    const stream = new Backward(bytes, start, end)
    const { log, symbols, bits } = tree
    for (let place = from; place < to; place += 1) {
        const code = stream.peek(log)
        out[place] = symbols[code]!
        stream.left -= bits[code]!
    }
    if (stream.left !== 0) throw broken("the literals do not end where they should")
}
