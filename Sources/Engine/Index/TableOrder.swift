import MartletDomain
import MartletSearch
import MartletStorage

/// One term of an order over a table: a number for each row that sorts as its key does, and the key itself.
private struct RankedTerm {
    /// Rows with a smaller rank come first. Equal ranks decide nothing unless `isExact`.
    let rank: (Int) -> UInt64
    let key: (Int) -> SortKey
    let isExact: Bool
    let isDescending: Bool
    /// The rank of a key that may be no row's: where the last page ended.
    var rankOf: (SortKey) -> UInt64
    /// Where that is known: the key's place among all keys, which decides what ranks leave open.
    var place: ((Int) -> UInt32)?

    init(
        rank: @escaping (Int) -> UInt64, key: @escaping (Int) -> SortKey, isExact: Bool, isDescending: Bool
    ) {
        (self.rank, self.key, self.isExact, self.isDescending) = (rank, key, isExact, isDescending)
        rankOf = { Rank.of($0, descending: isDescending) }
    }
}

/// A row and the rank of its first key.
private struct Ranked {
    var rank: UInt64
    var row: Int
}

extension [Ranked] {
    /// The rank that would stand at a place if all were in order: Hoare's selection, middle of three, O(n).
    fileprivate func smallest(_ place: Int) -> UInt64 {
        var ranks = map(\.rank)
        var (low, high) = (0, ranks.count - 1)
        while low < high {
            let (a, b, c) = (ranks[low], ranks[(low + high) / 2], ranks[high])
            let pivot = Swift.max(Swift.min(a, b), Swift.min(Swift.max(a, b), c))
            var (left, right) = (low, high)
            while left <= right {
                while ranks[left] < pivot { left += 1 }
                while ranks[right] > pivot { right -= 1 }
                if left <= right {
                    ranks.swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if place <= right { high = right } else if place >= left { low = left } else { return ranks[place] }
        }
        return ranks[place]
    }
}

/// Ranks: an unsigned number for each sort key, in the order of `SortKey.compare`. What is not a number among numbers
/// stands above all of them, whichever way the term runs.
enum Rank {
    static let missing = UInt64.max
    static let flag = UInt64.max - 1
    static let nan = UInt64.max - 2
    static let text = UInt64.max - 3

    static func of(_ number: Double, descending: Bool) -> UInt64 {
        if number.isNaN { return nan }
        let bits = (number == 0 ? 0 : number).bitPattern
        let rising = bits >> 63 == 1 ? ~bits : bits | 1 << 63
        return descending ? ~rising : rising
    }

    static func of(_ moment: Int64, descending: Bool) -> UInt64 {
        let rising = UInt64(bitPattern: moment) ^ (1 << 63)
        return min(descending ? ~rising : rising, text - 1)
    }

    static func of(_ key: SortKey, descending: Bool) -> UInt64 {
        switch key {
        case .number(let number, _): of(number, descending: descending)
        case .time(let moment): of(moment, descending: descending)
        case .text: text
        case .nan: nan
        case .flag: flag
        case .missing: missing
        }
    }

    /// Whether equal ranks mean equal keys.
    static func isExact(_ key: SortKey) -> Bool {
        switch key {
        case .number(_, let digits): digits == nil
        case .text: false
        case .time, .nan, .flag, .missing: true
        }
    }
}

extension TableSearch {
    /// The first `count` of some rows in order, those before and at `after` left out, and how many there are after it.
    ///
    /// Most rows are told apart by their first rank: the `count`-th smallest is found in linear time, whatever order the
    /// rows are in, and only the rows up to it are compared with one another.
    func first(
        _ count: Int, of found: Bits, in order: SortOrder, after: [SortKey]?
    ) throws(SearchFailure) -> (rows: [Int], keys: (Int) -> [SortKey], remaining: Int) {
        var terms: [RankedTerm] = []
        for term in order.terms { terms.append(try ranked(term, over: found)) }
        let lead = terms[0]
        let rest = terms
        var ranked: [Ranked] = []
        ranked.reserveCapacity(found.population)
        let limit = after.map { lead.rankOf($0[0]) }
        try found.forEach { row throws(SearchFailure) in
            if row & 0x3FFF == 0 { try view.check() }
            let rank = lead.rank(row)
            if let after, let limit {
                if rank < limit { return }
                if rank == limit, !isBehind(after, row, terms) { return }
            }
            ranked.append(Ranked(rank: rank, row: row))
        }
        var rows: [Int] = []
        rows.reserveCapacity(min(count, ranked.count))
        arrange(ranked, by: terms[...], first: count, into: &rows)
        return (rows, { row in rest.map { $0.key(row) } }, ranked.count)
    }

    /// Puts the first `count` of some rows behind others. They are ranked by the first of these terms; rows that share a
    /// rank are told apart by what follows, and only as many of them as there is room for.
    private func arrange(
        _ ranked: [Ranked], by terms: ArraySlice<RankedTerm>, first count: Int, into rows: inout [Int]
    ) {
        var kept = ranked
        if count < ranked.count {
            let last = ranked.smallest(count - 1)
            kept.removeAll { $0.rank > last }
        }
        kept.sort { $0.rank < $1.rank }
        let end = rows.count + count
        var start = 0
        while start < kept.count, rows.count < end {
            var next = start + 1
            while next < kept.count, kept[next].rank == kept[start].rank { next += 1 }
            if next == start + 1 {
                rows.append(kept[start].row)
            } else {
                part(kept[start..<next], by: terms, first: end - rows.count, into: &rows)
            }
            start = next
        }
    }

    /// As `arrange`, of rows that share the rank of the first term.
    private func part(
        _ equals: ArraySlice<Ranked>, by terms: ArraySlice<RankedTerm>, first count: Int, into rows: inout [Int]
    ) {
        guard let term = terms.first else {
            rows += equals.prefix(count).map(\.row)
            return
        }
        if !term.isExact {
            if let place = term.place {
                let placed = RankedTerm(
                    rank: { UInt64(place($0)) }, key: term.key, isExact: true, isDescending: term.isDescending)
                let ranked = equals.map { Ranked(rank: placed.rank($0.row), row: $0.row) }
                arrange(ranked, by: [placed] + terms.dropFirst(), first: count, into: &rows)
                return
            }
            var first = FirstRanked<Int>(count) { compare($0, $1, by: terms) }
            for entry in equals { first.offer(entry.row) }
            rows += first.sorted()
            return
        }
        let others = terms.dropFirst()
        guard let next = others.first else { return part(equals, by: others, first: count, into: &rows) }
        let ranked = equals.map { Ranked(rank: next.rank($0.row), row: $0.row) }
        arrange(ranked, by: others, first: count, into: &rows)
    }

    private func compare(_ a: Int, _ b: Int, by terms: ArraySlice<RankedTerm>) -> Int {
        for term in terms {
            let (x, y) = (term.rank(a), term.rank(b))
            if x != y { return x < y ? -1 : 1 }
            if term.isExact { continue }
            let order = term.key(a).compare(term.key(b), descending: term.isDescending)
            if order != 0 { return order }
        }
        return 0
    }

    private func isBehind(_ keys: [SortKey], _ row: Int, _ terms: [RankedTerm]) -> Bool {
        for (key, term) in zip(keys, terms) {
            let order = term.key(row).compare(key, descending: term.isDescending)
            if order != 0 { return order > 0 }
        }
        return false
    }

    private func ranked(_ term: OrderTerm, over found: Bits) throws(SearchFailure) -> RankedTerm {
        let kind = term.kind
        let down = term.isDescending
        let source = FieldSource(term.field, home: home)
        let table = table
        let now = now.micros
        switch source {
        case .row(.started):
            let starts = table.rows.starts
            return RankedTerm(
                rank: { Rank.of(starts[$0], descending: down) }, key: { .time(starts[$0]) }, isExact: true,
                isDescending: down)
        case .row(.id):
            let ids = table.rows.ids
            let rank = { (id: RunID) in down ? ~id.high : id.high }
            var ranked = RankedTerm(
                rank: { rank(ids[$0]) }, key: { .text(ids[$0].text) }, isExact: false, isDescending: down)
            ranked.rankOf = { key in if case .text(let text) = key { RunID(text).map(rank) ?? 0 } else { .max } }
            return ranked
        case .numbers(let key):
            guard let cells = table.columns.numbers[key]?.cells else { break }
            return RankedTerm(
                rank: { cells.value(at: $0).map { Rank.of($0, descending: down) } ?? Rank.missing },
                key: { SortKey(SearchValue(number: cells.value(at: $0)), kind: kind) }, isExact: true,
                isDescending: down)
        case .values(let key):
            guard let column = table.columns.values[key] else { break }
            return ranked(column, kind, descending: down)
        case .row(let attribute) where attribute.kind == .time || attribute.kind == .duration:
            let key = { (row: Int) in SortKey(table.value(at: row, source, now: now) ?? .missing, kind: kind) }
            return RankedTerm(
                rank: { Rank.of(key($0), descending: down) }, key: key, isExact: true, isDescending: down)
        case .row, .constant, .parent, .document: break
        }
        // Without a column of its own: the keys of the rows in question, those that the table lacks from documents.
        var keys: [Int: SortKey] = [:]
        var unknown: [Int] = []
        found.forEach { row in
            if let value = table.value(at: row, source, now: now) {
                keys[row] = SortKey(value, kind: kind)
            } else {
                unknown.append(row)
            }
        }
        for start in stride(from: 0, to: unknown.count, by: 200) {
            try view.check()
            let page = unknown[start..<min(start + 200, unknown.count)]
            for run in try view.runs(page.map { table.rows.key(of: $0) }) {
                guard let row = table.rows.row(of: run.key) else { continue }
                let document = RunDocumentView(run, view.reader, now: self.now)
                keys[row] = SortKey(document.value(of: term.field), kind: kind)
                try SearchFailure.reading { () throws(Refusal) in try document.check() }
            }
        }
        let known = keys
        let isExact = known.values.allSatisfy(Rank.isExact)
        let key = { (row: Int) in known[row] ?? .missing }
        return RankedTerm(
            rank: { Rank.of(key($0), descending: down) }, key: key, isExact: isExact, isDescending: down)
    }

    /// Each distinct value has its key made once. A small dictionary is put in order, so that rows compare by place.
    private func ranked(_ column: ValueColumn, _ kind: FieldKind, descending: Bool) -> RankedTerm {
        let keys = column.values.map { SortKey($0, kind: kind) }
        let ranks = keys.map { Rank.of($0, descending: descending) }
        let isExact = keys.allSatisfy(Rank.isExact)
        var term = RankedTerm(
            rank: { ranks[column.code(at: $0)] }, key: { keys[column.code(at: $0)] }, isExact: isExact,
            isDescending: descending)
        guard !isExact, keys.count <= 4096 else { return term }
        let order = keys.indices.sorted { keys[$0].compare(keys[$1], descending: descending) < 0 }
        var places = [UInt32](repeating: 0, count: keys.count)
        for (a, b) in zip(order, order.dropFirst()) {
            places[b] = places[a] + (keys[a].compare(keys[b], descending: descending) < 0 ? 1 : 0)
        }
        term.place = { places[column.code(at: $0)] }
        return term
    }
}
