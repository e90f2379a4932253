/// The cells of one column: a value for each row that has one.
///
/// Dense is a value for every row and a bit that says whether it counts; under one eighth filled, a list of rows and
/// their values is smaller. A column begins sparse and turns dense when it fills up.
struct Cells<Value: BitwiseCopyable & Sendable>: Sendable {
    private(set) var isSparse = true
    /// Of a sparse column, rising.
    private(set) var rows: [UInt32] = []
    /// One for each row, or for each of `rows`.
    private(set) var values: [Value] = []
    /// Of a dense column.
    private(set) var presence = Bits(count: 0)
    private(set) var rowCount: Int
    private(set) var filled = 0
    private let blank: Value

    init(rowCount: Int, blank: Value) { (self.rowCount, self.blank) = (rowCount, blank) }

    mutating func grow(to count: Int) {
        guard count > rowCount else { return }
        rowCount = count
        guard !isSparse else { return }
        presence.grow(to: count)
        values.append(contentsOf: repeatElement(blank, count: count - values.count))
    }

    func value(at row: Int) -> Value? {
        if !isSparse { return presence[row] ? values[row] : nil }
        let place = place(of: row)
        return place < rows.count && rows[place] == row ? values[place] : nil
    }

    mutating func set(_ row: Int, _ value: Value?) {
        guard isSparse else {
            filled += (value == nil ? 0 : 1) - (presence[row] ? 1 : 0)
            values[row] = value ?? blank
            presence[row] = value != nil
            return
        }
        // A column is loaded in order of row, so most cells go to the end.
        let place = rows.last.map { Int($0) < row } ?? true ? rows.count : place(of: row)
        let isThere = place < rows.count && rows[place] == row
        switch value {
        case let value? where isThere: values[place] = value
        case let value?:
            rows.insert(UInt32(row), at: place)
            values.insert(value, at: place)
            filled += 1
            if filled > 64, filled > rowCount / 8 { makeDense() }
        case nil where isThere:
            rows.remove(at: place)
            values.remove(at: place)
            filled -= 1
        case nil: break
        }
    }

    private mutating func makeDense() {
        var all = [Value](repeating: blank, count: rowCount)
        presence = Bits(count: rowCount)
        for (place, row) in rows.enumerated() {
            all[Int(row)] = values[place]
            presence[Int(row)] = true
        }
        (values, rows, isSparse) = (all, [], false)
    }

    /// The first place in `rows` that is not before `row`.
    private func place(of row: Int) -> Int {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
        }
        return low
    }

    var bytes: Int { rows.capacity * 4 + values.capacity * MemoryLayout<Value>.stride + presence.words.capacity * 8 }
}
