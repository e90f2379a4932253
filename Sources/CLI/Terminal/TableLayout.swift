/// Decides which columns of a table are shown, and how wide.
///
/// First columns leave, those of low priority and then those on the right, until the rest fits at its narrowest. Then
/// the widest of the rest are cut to one common width, so that a long name pays and a short one does not.
struct TableLayout {
    /// Places of the columns shown, in order.
    private(set) var shown: [Int]
    private(set) var widths: [Int]
    private(set) var leftOut = 0
    private let gap: Int

    /// A text column is not squeezed below this without having asked for it.
    private static let squeezedMin = 12

    var total: Int { widths.reduce(0, +) + gap * max(0, widths.count - 1) }

    init(columns: [Table.Column], natural: [Int], gap: Int, width: Int?) {
        self.gap = gap
        shown = Array(columns.indices)
        guard let width else {
            widths = zip(columns, natural).map { max($0.widthMin, $1) }
            return
        }
        let wanted = zip(columns, natural).map { column, natural in
            let capped = column.isWhole ? natural : min(natural, column.widthMax ?? natural)
            return max(column.widthMin, capped)
        }
        let least = zip(columns, wanted).map { column, wanted in
            guard !column.isWhole else { return wanted }
            return min(wanted, max(column.widthMin, TableLayout.squeezedMin))
        }

        var needed = least.reduce(0, +) + gap * max(0, least.count - 1)
        var leaving: Set<Int> = []
        let order = columns.indices.sorted { (columns[$0].priority, -$0) < (columns[$1].priority, -$1) }
        for column in order.dropLast() where needed > width {
            leaving.insert(column)
            needed -= least[column] + gap
        }
        shown.removeAll { leaving.contains($0) }
        leftOut = leaving.count
        let room = max(1, width - gap * (shown.count - 1))
        widths = TableLayout.share(room, wanted: shown.map { wanted[$0] }, least: shown.map { least[$0] })
    }

    /// Cuts the widest to a common level, the highest that fits; columns left over go to the first ones cut.
    private static func share(_ room: Int, wanted: [Int], least: [Int]) -> [Int] {
        guard wanted.reduce(0, +) > room else { return wanted }
        func cut(to level: Int) -> [Int] { zip(wanted, least).map { min($0, max($1, level)) } }
        var (low, high) = (0, wanted.max() ?? 0)
        while low < high {
            let middle = (low + high + 1) / 2
            if cut(to: middle).reduce(0, +) <= room { low = middle } else { high = middle - 1 }
        }
        var widths = cut(to: low)
        var spare = room - widths.reduce(0, +)
        for column in widths.indices where spare > 0 && widths[column] < wanted[column] && widths[column] >= low {
            widths[column] += 1
            spare -= 1
        }
        // Only a single column can still be too wide: even the last one must not wrap.
        if widths.count == 1 { widths[0] = min(widths[0], room) }
        return widths
    }
}
