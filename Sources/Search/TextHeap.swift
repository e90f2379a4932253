import Glibc

/// The distinct values of a column once more, the texts among them as bytes that lie one behind the other.
///
/// A pattern that goes over 100,000 texts one by one spends its time on getting to each; in one piece of memory the
/// same bytes are looked for at once.
package struct TextHeap: Sendable {
    private var bytes: [UInt8] = []
    /// Where each value ends, and the next one begins. A text ends with a byte that no text has; other values take none.
    private var ends: [Int] = []
    /// The values that are no texts, rising.
    private var others: [Int] = []

    package init() {}

    package mutating func append(_ value: SearchValue) {
        switch value {
        case .text(var text), .typedText(var text, _):
            text.withUTF8 { bytes.append(contentsOf: $0) }
            bytes.append(0xFF)
        default: others.append(ends.count)
        }
        ends.append(bytes.count)
    }

    package var byteCount: Int { bytes.capacity + ends.capacity * 8 + others.capacity * 8 }

    /// For each of these values whether it is a text that holds the piece; `other` says what the rest answers.
    func verdicts(
        holding piece: [UInt8], among range: Range<Int>, found: Bool,
        other: (Int) throws(SearchError) -> Bool
    ) throws(SearchError) -> [Bool] {
        var verdicts = [Bool](repeating: !found, count: range.count)
        for place in others where range.contains(place) { verdicts[place - range.lowerBound] = try other(place) }
        guard let last = range.last else { return verdicts }
        let end = ends[last]
        bytes.withUnsafeBytes { bytes in
            let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<end])
            var position = range.lowerBound == 0 ? 0 : ends[range.lowerBound - 1]
            var place = range.lowerBound
            while let offset = Self.find(piece, in: bytes, from: position) {
                if ends[place] <= offset { place = next(endingAfter: offset, from: place) }
                verdicts[place - range.lowerBound] = found
                position = ends[place]
            }
        }
        return verdicts
    }

    /// Where the piece stands next. Sixteen places are looked at in one go, for its first byte and its last; only where
    /// both are right the rest is compared.
    private static func find(_ piece: [UInt8], in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let (reach, firsts) = (piece.count - 1, SIMD16<UInt8>(repeating: piece[0]))
        let lasts = SIMD16<UInt8>(repeating: piece[reach])
        var position = start
        while position + reach + 16 <= bytes.count {
            let heads = base.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self) .== firsts
            let tails = base.loadUnaligned(fromByteOffset: position + reach, as: SIMD16<UInt8>.self) .== lasts
            let both = heads .& tails
            if any(both) {
                for lane in 0..<16 where both[lane] && memcmp(base + position + lane, piece, piece.count) == 0 {
                    return position + lane
                }
            }
            position += 16
        }
        while position + piece.count <= bytes.count {
            if memcmp(base + position, piece, piece.count) == 0 { return position }
            position += 1
        }
        return nil
    }

    /// The first value from `place` on that ends after an offset.
    private func next(endingAfter offset: Int, from place: Int) -> Int {
        var (low, high) = (place + 1, ends.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
