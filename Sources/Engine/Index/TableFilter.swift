import MartletDomain
import MartletSearch
import MartletStorage

/// What is known of a filter for each row: found for certain, or found perhaps.
private struct Findings {
    var certain: Bits
    var perhaps: Bits

    static func & (a: Findings, b: Findings) -> Findings {
        Findings(certain: a.certain & b.certain, perhaps: a.perhaps & b.perhaps)
    }
    static func | (a: Findings, b: Findings) -> Findings {
        Findings(certain: a.certain | b.certain, perhaps: a.perhaps | b.perhaps)
    }
    static prefix func ~ (a: Findings) -> Findings { Findings(certain: ~a.perhaps, perhaps: ~a.certain) }
}

/// One search in one table.
struct TableSearch {
    let table: RunTable
    let filter: CompiledFilter
    let home: (experiment: Experiment, project: Project)
    let life: LifeChoice
    let now: Timestamp
    let view: SearchView

    /// The rows that the filter finds.
    ///
    /// Each condition is answered over its whole column; where no column has it, its answer is open. Only rows whose
    /// verdict hangs on an open answer are then read as documents.
    func matches() throws(SearchFailure) -> Bits {
        let living = table.rows.rows(living: life)
        let folded: Findings? = try filter.fold(
            leaf: { (index: Int) throws(SearchFailure) in try findings(of: filter.leaves[index]) },
            and: { (a: Findings, b: Findings) throws(SearchFailure) in a & b },
            or: { (a: Findings, b: Findings) throws(SearchFailure) in a | b },
            not: { (a: Findings) throws(SearchFailure) in ~a })
        guard let findings = folded else { return living }
        var found = findings.certain & living
        let open = (findings.perhaps & ~findings.certain & living).rows
        for start in stride(from: 0, to: open.count, by: 200) {
            try view.check()
            let page = open[start..<min(start + 200, open.count)]
            for run in try view.runs(page.map { table.rows.key(of: $0) }) {
                let document = RunDocumentView(run, view.reader, now: now)
                let isFound = try SearchFailure.asking { () throws(SearchError) in try filter.matches(document) }
                try SearchFailure.reading { () throws(Refusal) in try document.check() }
                if isFound, let row = table.rows.row(of: run.key) { found[row] = true }
            }
        }
        return found
    }

    private func findings(of leaf: CompiledPredicate) throws(SearchFailure) -> Findings {
        try view.check()
        let source = FieldSource(leaf.predicate.field, home: home)
        guard case .parent(let above) = source else {
            guard let bits = try answer(leaf, source) else { return unknown }
            return Findings(certain: bits, perhaps: bits)
        }
        guard let answers = try answer(leaf, above) else { return unknown }
        let orphan = try test(leaf, .missing)
        var findings = Findings(certain: Bits(count: table.rows.count), perhaps: Bits(count: table.rows.count))
        for row in 0..<table.rows.count {
            if table.rows.parents[row] == 0 {
                findings.certain[row] = orphan
                findings.perhaps[row] = orphan
            } else if let place = table.parentRow(of: row) {
                findings.certain[row] = answers[place]
                findings.perhaps[row] = answers[place]
            } else {
                findings.perhaps[row] = true
            }
        }
        return findings
    }

    private var unknown: Findings {
        Findings(certain: Bits(count: table.rows.count), perhaps: Bits(count: table.rows.count, all: true))
    }

    /// The verdict on every row; nil where the table does not hold the field.
    private func answer(_ leaf: CompiledPredicate, _ source: FieldSource) throws(SearchFailure) -> Bits? {
        switch source {
        case .constant(let value): return Bits(count: table.rows.count, all: try test(leaf, value))
        case .row(let attribute): return try answer(leaf, attribute)
        case .values(let key):
            return try table.columns.values[key].map { column throws(SearchFailure) in
                try answer(leaf, column)
            }
        case .numbers(let key):
            return try table.columns.numbers[key].map { column throws(SearchFailure) in
                try answer(leaf, column)
            }
        case .parent, .document: return nil
        }
    }

    private func answer(_ leaf: CompiledPredicate, _ column: ValueColumn) throws(SearchFailure) -> Bits {
        var verdicts: [Bool] = []
        verdicts.reserveCapacity(column.values.count)
        // A piece at a time, because the clock is read once a piece and a pattern may be slow.
        let step = leaf.valuesAtOnce
        for start in stride(from: 0, to: column.values.count, by: step) {
            try view.check()
            let piece = column.values[start..<min(start + step, column.values.count)]
            verdicts += try SearchFailure.asking { () throws(SearchError) in
                try leaf.verdicts(on: piece, in: column.texts)
            }
        }
        let count = table.rows.count
        if column.cells.isSparse {
            var bits = Bits(count: count, all: verdicts[0])
            for (place, row) in column.cells.rows.enumerated() {
                bits[Int(row)] = verdicts[Int(column.cells.values[place])]
            }
            return bits
        }
        return Bits(rows: count, codes: column.cells.values, verdicts: verdicts)
    }

    private func answer(_ leaf: CompiledPredicate, _ column: NumberColumn) throws(SearchFailure) -> Bits {
        let cells = column.cells
        let isMissingFound = try test(leaf, .missing)
        var words = [UInt64](repeating: 0, count: (cells.values.count + 63) / 64)
        leaf.mark(cells.values.span, in: &words)
        let marked = Bits(words: words, count: cells.values.count)
        guard cells.isSparse else {
            let found = marked & cells.presence
            return isMissingFound ? found | ~cells.presence : found
        }
        var bits = Bits(count: table.rows.count, all: isMissingFound)
        for (place, row) in cells.rows.enumerated() { bits[Int(row)] = marked[place] }
        return bits
    }

    private func answer(_ leaf: CompiledPredicate, _ attribute: Attribute) throws(SearchFailure) -> Bits {
        let rows = table.rows
        var bits = Bits(count: rows.count)
        switch attribute {
        case .state, .archived, .life:
            // A handful of distinct values: each is tested once.
            var verdicts: [UInt8: Bool] = [:]
            for row in 0..<rows.count {
                let code = attribute == .life ? rows.lives[row] : rows.states[row]
                if let known = verdicts[code] {
                    if known { bits[row] = true }
                    continue
                }
                let verdict = try test(leaf, table.value(at: row, .row(attribute), now: now.micros) ?? .missing)
                verdicts[code] = verdict
                if verdict { bits[row] = true }
            }
        case .duration:
            var words = [UInt64](repeating: 0, count: (rows.count + 63) / 64)
            let durations = (0..<rows.count).map { table.duration(of: $0, now: now.micros) }
            leaf.mark(durations.span, in: &words)
            return Bits(words: words, count: rows.count)
        case .id:
            if let wanted = leaf.wantedIDs {
                for row in 0..<rows.count where wanted.contains(rows.ids[row]) { bits[row] = true }
                return bits
            }
            fallthrough
        default:
            for row in 0..<rows.count {
                if row & 0x3FFF == 0 { try view.check() }
                let value = table.value(at: row, .row(attribute), now: now.micros) ?? .missing
                if try test(leaf, value) { bits[row] = true }
            }
        }
        return bits
    }

    private func test(_ leaf: CompiledPredicate, _ value: SearchValue) throws(SearchFailure) -> Bool {
        try SearchFailure.asking { () throws(SearchError) in try leaf.test(value) }
    }
}

extension CompiledPredicate {
    /// The ids that an equality or a list asks for, when all of them are full ids: found without spelling every row's.
    fileprivate var wantedIDs: Set<RunID>? {
        let literals: [Literal]
        switch predicate.condition {
        case .compare(.equal, let literal): literals = [literal]
        case .among(let list, negated: false): literals = list
        default: return nil
        }
        var ids: Set<RunID> = []
        for literal in literals {
            switch literal {
            case .text(let text), .exactText(let text):
                // Another spelling of an id (dashes, capitals) is resolved before the filter is compiled.
                guard let id = RunID(text), id.text == text else { return nil }
                ids.insert(id)
            case .number, .time: return nil
            }
        }
        return ids
    }
}

extension Bits {
    /// The bits of rows whose code has a true verdict.
    fileprivate init(rows: Int, codes: [UInt32], verdicts: [Bool]) {
        var words = [UInt64](repeating: 0, count: (rows + 63) / 64)
        codes.withUnsafeBufferPointer { codes in
            verdicts.withUnsafeBufferPointer { verdicts in
                for start in stride(from: 0, to: rows, by: 64) {
                    var word: UInt64 = 0
                    for bit in 0..<min(64, rows - start) {
                        word |= (verdicts[Int(codes[start + bit])] ? 1 : 0) &<< UInt64(truncatingIfNeeded: bit)
                    }
                    words[start / 64] = word
                }
            }
        }
        self.init(words: words, count: rows)
    }
}

/// A search fails for two kinds of reasons, told apart until the very end: what was asked, and what the store said.
enum SearchFailure: Error {
    case asked(SearchError)
    case refused(Refusal)

    static func asking<T>(_ body: () throws(SearchError) -> T) throws(SearchFailure) -> T {
        do throws(SearchError) { return try body() } catch { throw .asked(error) }
    }

    static func reading<T>(_ body: () throws(Refusal) -> T) throws(SearchFailure) -> T {
        do throws(Refusal) { return try body() } catch { throw .refused(error) }
    }
}

extension SearchView {
    func check() throws(SearchFailure) {
        try SearchFailure.reading { () throws(Refusal) in try deadline.check() }
    }

    func runs(_ keys: [RunKey]) throws(SearchFailure) -> [Run] {
        try SearchFailure.reading { () throws(Refusal) in try reader.runs(keys) }
    }
}
