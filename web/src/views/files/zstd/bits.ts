// Bits as Zstandard writes them: tables from the front on, everything else from the end back to a one that marks it.

export function broken(what: string): Error {
    return new Error(`The Zstandard data is damaged: ${what}.`)
}

/** From the front on. */
export class Forward {
    private at: number
    constructor(private readonly bytes: Uint8Array, start: number, private readonly end: number) {
        this.at = start * 8
    }

    read(count: number): number {
        if (this.at + count > this.end * 8) throw broken("a table ends early")
        let value = 0
        for (let bit = 0; bit < count; bit += 1, this.at += 1) value |= ((this.bytes[this.at >> 3]! >> (this.at & 7)) & 1) << bit
        return value
    }

    unread(count: number): void {
        this.at -= count
    }

    /** The first byte that no bit was taken of. */
    get byte(): number {
        return (this.at + 7) >> 3
    }
}

/** From the end back. What lies before the start reads as zeros, and `left` falls below zero. */
export class Backward {
    left: number
    constructor(private readonly bytes: Uint8Array, private readonly start: number, end: number) {
        const last = end > start ? bytes[end - 1]! : 0
        if (last === 0) throw broken("a stream of bits has no end")
        this.left = (end - start) * 8 - 1 - Math.clz32(last << 24)
    }

    /** The next bits, up to 24, without taking them. */
    peek(count: number): number {
        let from = this.left - count
        // Rare: less is left than asked for.
        if (from < 0) return this.left > 0 ? this.bitsAt(0, this.left) << -from : 0
        return this.bitsAt(from, count)
    }

    private bitsAt(from: number, count: number): number {
        const at = this.start + (from >> 3)
        const { bytes } = this
        return ((bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> (from & 7)) & ((1 << count) - 1)
    }

    read(count: number): number {
        if (count > 16) return this.read(count - 16) * 65_536 + this.read(16)
        const value = this.peek(count)
        this.left -= count
        return value
    }
}
