import MartletStorage

/// Rows that are asked for by rising ids, from a statement that gives `id` first, in its order, and is bound to the first
/// and the last of a range.
///
/// What lies next is a step away, and what lies further is looked for anew: a page of runs that were made one after another
/// costs one look.
struct RisingRows {
    private let statement: Statement
    private let last: Int64
    /// The row that the statement stands on: the first one that is not before what was asked for last.
    private var standing = Int64.min
    private static let ended = Int64.max

    init(_ statement: Statement, through last: Int64) { (self.statement, self.last) = (statement, last) }

    /// Whether there is such a row; the statement then stands on it. A row that is at most `near` ids away is worth a step.
    mutating func stand(on id: Int64, near: Int64) throws(StorageError) -> Bool {
        if standing < id, standing >= id - near { standing = try next() }
        if standing < id {
            statement.reset()
            try statement.bind(id, at: 1)
            try statement.bind(last, at: 2)
            standing = try next()
        }
        return standing == id
    }

    private func next() throws(StorageError) -> Int64 { try statement.step() ? statement.int(0) : Self.ended }
}
