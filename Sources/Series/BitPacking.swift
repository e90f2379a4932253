/// Numbers of one width, bit after bit, lowest bit first.
enum BitPacking {
    /// Writes `count` numbers of at most `width` bits into zeroed memory of ceil(count x width / 8) bytes.
    @inline(__always)
    static func pack(count: Int, width: Int, into target: UnsafeMutableRawPointer, _ number: (Int) -> UInt64) {
        guard width > 0 else { return }
        var gathered: UInt64 = 0
        var filled = 0
        var at = 0
        for index in 0..<count {
            let next = number(index)
            gathered |= next &<< UInt64(truncatingIfNeeded: filled)
            filled &+= width
            if filled >= 64 {
                target.storeBytes(of: gathered.littleEndian, toByteOffset: at, as: UInt64.self)
                at &+= 8
                filled &-= 64
                // The bits of `next` that did not fit; none of them when it ended exactly at the word's end.
                gathered = filled == 0 ? 0 : next &>> UInt64(truncatingIfNeeded: width &- filled)
            }
        }
        while filled > 0 {
            target.storeBytes(of: UInt8(truncatingIfNeeded: gathered), toByteOffset: at, as: UInt8.self)
            gathered &>>= 8
            filled &-= 8
            at &+= 1
        }
    }

    /// Calls `body` with each of `count` numbers of `width` bits.
    ///
    /// `source` begins with the packed bits and may go on behind them: as long as nine bytes can be read, one number is
    /// one unaligned load; only the last few numbers of a blob go through a padded copy.
    @inline(__always)
    static func unpack(
        _ source: UnsafeRawBufferPointer, count: Int, width: Int, _ body: (Int, UInt64) -> Void
    ) {
        guard width > 0, let bytes = source.baseAddress else {
            for index in 0..<count { body(index, 0) }
            return
        }
        let readable = source.count
        let fast = readable < 9 ? 0 : min(count, ((readable - 9) * 8 + 7) / width + 1)
        unpack(bytes, skipping: 0, from: 0, to: fast, width: width, body)
        guard fast < count else { return }
        let first = fast * width
        var padded: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &padded) { copy in
            let start = first / 8
            let end = min(readable, (count * width + 7) / 8)
            copy.copyMemory(from: UnsafeRawBufferPointer(start: bytes + start, count: end - start))
            guard let copied = copy.baseAddress else { return }
            unpack(UnsafeRawPointer(copied), skipping: first % 8, from: fast, to: count, width: width, body)
        }
    }

    @inline(__always)
    private static func unpack(
        _ bytes: UnsafeRawPointer, skipping first: Int, from start: Int, to end: Int, width: Int,
        _ body: (Int, UInt64) -> Void
    ) {
        let mask = UInt64.max &>> UInt64(truncatingIfNeeded: 64 &- width)
        var (bit, index) = (first, start)
        if width <= 56 {
            while index < end {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
                body(index, word &>> UInt64(truncatingIfNeeded: bit & 7) & mask)
                bit &+= width
                index &+= 1
            }
        } else {
            while index < end {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
                let over = UInt64(bytes.load(fromByteOffset: bit &>> 3 &+ 8, as: UInt8.self))
                let shift = UInt64(truncatingIfNeeded: bit & 7)
                body(index, (word &>> shift | (over &<< 1) &<< (63 &- shift)) & mask)
                bit &+= width
                index &+= 1
            }
        }
    }
}
