import MartletDomain
import MartletSearch
import MartletSeries
import MartletStorage

/// Which column of a table: only what a query has named is loaded.
enum ColumnKey: Hashable, Sendable {
    /// Texts and the like, each distinct one kept once: params, tags, datasets, names.
    case values(Field.Name)
    /// Metrics and counts.
    case numbers(Field.Name)
    /// The id of the run above.
    case parent
}

/// Distinct values and, for each row, which of them it has. A pattern is then tried on each distinct value once.
struct ValueColumn: Sendable {
    /// Code 0 is what a row without a value has.
    private(set) var values: [SearchValue] = [.missing]
    /// The same values, for patterns.
    private(set) var texts: TextHeap = {
        var texts = TextHeap()
        texts.append(.missing)
        return texts
    }()
    private var codes = CodeTable()
    private(set) var cells: Cells<UInt32>
    private var textBytes = 0

    init(rowCount: Int) { cells = Cells(rowCount: rowCount, blank: 0) }

    mutating func grow(to count: Int) { cells.grow(to: count) }

    mutating func set(_ row: Int, _ value: SearchValue) {
        if case .missing = value { return cells.set(row, nil) }
        let hash = value.spellingHash
        if let code = codes.find(hash, where: { values[Int($0)].isSpelled(as: value) }) {
            return cells.set(row, code)
        }
        let code = UInt32(values.count)
        values.append(value.compact)
        texts.append(value)
        textBytes += value.textBytes
        codes.insert(code, hash)
        cells.set(row, code)
    }

    /// As `SearchValue(typed:)`, which tries whether the text is a number: only for a text that is new to the column.
    mutating func set(_ row: Int, typed text: String) {
        if let code = codes.find(spelledHash(text), where: { values[Int($0)].isSpelled(text) }) {
            return cells.set(row, code)
        }
        set(row, SearchValue(typed: text))
    }

    func value(at row: Int) -> SearchValue { values[code(at: row)] }
    func code(at row: Int) -> Int { Int(cells.value(at: row) ?? 0) }

    /// Values that were replaced stay in the dictionary; when most of it is such, loading the column again is cheaper.
    var isWorn: Bool { values.count > 1024 + 2 * cells.rowCount }

    var bytes: Int {
        cells.bytes + textBytes + texts.byteCount + values.capacity * MemoryLayout<SearchValue>.stride + codes.bytes
    }
}

/// Codes by the hash of their value, in open addressing: about 16 bytes a value where a dictionary takes a hundred.
private struct CodeTable: Sendable {
    private struct Slot {
        /// Never 0 where there is one.
        var code: UInt32 = 0
        var hash: UInt32 = 0
    }

    /// A power of two of them, at most three quarters taken.
    private var slots = [Slot](repeating: Slot(), count: 16)
    private var count = 0

    @inline(__always)
    func find(_ hash: UInt32, where isWanted: (UInt32) -> Bool) -> UInt32? {
        let mask = slots.count - 1
        var place = Int(hash) & mask
        while slots[place].code != 0 {
            if slots[place].hash == hash, isWanted(slots[place].code) { return slots[place].code }
            place = (place + 1) & mask
        }
        return nil
    }

    mutating func insert(_ code: UInt32, _ hash: UInt32) {
        if (count + 1) * 4 > slots.count * 3 {
            let old = slots
            slots = [Slot](repeating: Slot(), count: old.count * 2)
            for slot in old where slot.code != 0 { put(slot) }
        }
        put(Slot(code: code, hash: hash))
        count += 1
    }

    private mutating func put(_ slot: Slot) {
        let mask = slots.count - 1
        var place = Int(slot.hash) & mask
        while slots[place].code != 0 { place = (place + 1) & mask }
        slots[place] = slot
    }

    var bytes: Int { slots.count * MemoryLayout<Slot>.stride }
}

private func spelledHash(_ text: String) -> UInt32 {
    var (hasher, text) = (Hasher(), text)
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    return UInt32(truncatingIfNeeded: hasher.finalize())
}

extension SearchValue {
    /// Of the bytes, not of what they look like: two spellings of one accented letter are equal to Swift, and not to LIKE.
    fileprivate var spellingHash: UInt32 {
        switch self {
        case .text(let text), .typedText(let text, _): return spelledHash(text)
        default:
            var hasher = Hasher()
            hasher.combine(self)
            return UInt32(truncatingIfNeeded: hasher.finalize())
        }
    }

    fileprivate func isSpelled(_ text: String) -> Bool {
        switch self {
        case .text(var own), .typedText(var own, _):
            var text = text
            return own.withUTF8 { own in text.withUTF8 { own.elementsEqual($0) } }
        default: return false
        }
    }

    fileprivate func isSpelled(as other: SearchValue) -> Bool {
        switch (self, other) {
        case (.text(var a), .text(var b)), (.typedText(var a, _), .typedText(var b, _)):
            a.withUTF8 { a in b.withUTF8 { b in a.elementsEqual(b) } }
        case (.several(let a), .several(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSpelled(as: $1) }
        default: self == other
        }
    }

    /// The same with texts of its own, one behind the other in memory, where a pattern that goes through all of them
    /// finds them quickly, and without what else they were cut from.
    fileprivate var compact: SearchValue {
        func copied(_ text: String) -> String {
            var text = text
            return text.withUTF8 { String(decoding: $0, as: UTF8.self) }
        }
        return switch self {
        case .text(let text): .text(copied(text))
        case .typedText(let text, let number): .typedText(copied(text), number)
        default: self
        }
    }

    /// What a text takes beside its place; up to 15 bytes lie in the place itself.
    fileprivate var textBytes: Int {
        switch self {
        case .text(let text), .typedText(let text, _): text.utf8.count > 15 ? text.utf8.count + 40 : 0
        case .several(let values): values.reduce(32 + values.count * 32) { $0 + $1.textBytes }
        default: 0
        }
    }
}

/// Numbers, one for each row that has one.
struct NumberColumn: Sendable {
    private(set) var cells: Cells<Double>
    /// The last points of cells that are being written to, so that a newer point needs no look into the store. Only for
    /// a latest value that is nothing but the last point of the one plain lane.
    private(set) var live: [UInt32: Point] = [:]

    init(rowCount: Int) { cells = Cells(rowCount: rowCount, blank: .nan) }

    mutating func grow(to count: Int) { cells.grow(to: count) }

    mutating func set(_ row: Int, _ number: Double?, live point: Point? = nil) {
        cells.set(row, number)
        guard point != nil || !live.isEmpty else { return }
        live[UInt32(row)] = point
        // Forgetting them costs one look for each cell that is still written to.
        if live.count > 100_000 { live.removeAll() }
    }

    /// Takes in points that arrived; false when the store has to be asked.
    mutating func take(_ points: SeriesPoints, at row: Int) -> Bool {
        guard var last = live[UInt32(row)] else { return false }
        guard let newest = Latest.of(points), Latest.isLater(newest, than: last) else { return true }
        last = newest
        live[UInt32(row)] = last
        cells.set(row, last.value)
        return true
    }

    mutating func forget(_ row: Int) { live[UInt32(row)] = nil }

    var bytes: Int { cells.bytes + live.capacity * 32 }
}

/// The columns of one experiment's table that some query has asked for.
struct RunColumns: Sendable {
    var values: [ColumnKey: ValueColumn] = [:]
    var numbers: [ColumnKey: NumberColumn] = [:]

    var keys: [ColumnKey] { Array(values.keys) + Array(numbers.keys) }

    func has(_ key: ColumnKey) -> Bool { values[key] != nil || numbers[key] != nil }

    mutating func add(_ key: ColumnKey, rowCount: Int) {
        if case .numbers = key {
            numbers[key] = NumberColumn(rowCount: rowCount)
        } else {
            values[key] = ValueColumn(rowCount: rowCount)
        }
    }

    mutating func drop(_ key: ColumnKey) {
        values[key] = nil
        numbers[key] = nil
    }

    mutating func merge(_ other: RunColumns) {
        values.merge(other.values) { $1 }
        numbers.merge(other.numbers) { $1 }
    }

    mutating func grow(to count: Int) {
        for key in Array(values.keys) { values[key]?.grow(to: count) }
        for key in Array(numbers.keys) { numbers[key]?.grow(to: count) }
    }

    /// The parts asked for of each metric.
    var metrics: [String: [MetricPart]] { RunColumns.metrics(in: Array(numbers.keys)) }

    static func metrics(in keys: [ColumnKey]) -> [String: [MetricPart]] {
        var metrics: [String: [MetricPart]] = [:]
        for case .numbers(.metric(let name, let part)) in keys { metrics[name, default: []].append(part) }
        return metrics
    }

    func bytes(of key: ColumnKey) -> Int { values[key]?.bytes ?? numbers[key]?.bytes ?? 0 }
}
