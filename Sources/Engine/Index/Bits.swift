/// One bit a row: which rows a condition found, which cells of a column are filled.
struct Bits: Sendable, Equatable {
    private(set) var words: [UInt64]
    private(set) var count: Int

    init(count: Int, all isSet: Bool = false) {
        self.count = count
        words = [UInt64](repeating: isSet ? .max : 0, count: (count + 63) / 64)
        trim()
    }

    init(words: [UInt64], count: Int) {
        precondition(words.count == (count + 63) / 64, "one bit a row")
        (self.words, self.count) = (words, count)
        trim()
    }

    subscript(row: Int) -> Bool {
        get { words[row >> 6] &>> UInt64(row & 63) & 1 == 1 }
        set {
            let bit: UInt64 = 1 &<< UInt64(row & 63)
            if newValue { words[row >> 6] |= bit } else { words[row >> 6] &= ~bit }
        }
    }

    var population: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    mutating func grow(to count: Int) {
        self.count = count
        while words.count < (count + 63) / 64 { words.append(0) }
    }

    /// What lies behind the last row stays zero, so that counting needs no exception.
    private mutating func trim() {
        if count & 63 != 0 { words[words.count - 1] &= 1 &<< UInt64(count & 63) &- 1 }
    }

    static func & (a: Bits, b: Bits) -> Bits { join(a, b) { $0 & $1 } }
    static func | (a: Bits, b: Bits) -> Bits { join(a, b) { $0 | $1 } }
    static prefix func ~ (a: Bits) -> Bits { Bits(words: a.words.map { ~$0 }, count: a.count) }

    @inline(__always)
    private static func join(_ a: Bits, _ b: Bits, _ with: (UInt64, UInt64) -> UInt64) -> Bits {
        precondition(a.count == b.count, "rows of one table")
        var joined = a
        for index in joined.words.indices { joined.words[index] = with(joined.words[index], b.words[index]) }
        return joined
    }

    /// Calls with each row whose bit is set, in order.
    @inline(__always)
    func forEach<Failure: Error>(_ body: (Int) throws(Failure) -> Void) throws(Failure) {
        for index in words.indices {
            var word = words[index]
            while word != 0 {
                try body(index << 6 + word.trailingZeroBitCount)
                word &= word &- 1
            }
        }
    }

    var rows: [Int] {
        var rows: [Int] = []
        rows.reserveCapacity(population)
        forEach { rows.append($0) }
        return rows
    }
}
