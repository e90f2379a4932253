import MartletDomain
import MartletSearch
import MartletSeries
import MartletStorage

// Cells from the store: all rows of a new column, or the rows that changed.
extension RunTable {
    /// Columns for all rows, not yet part of the table.
    mutating func newColumns(
        _ keys: [ColumnKey], _ reader: any StoreReader, _ deadline: SearchDeadline
    ) throws(Refusal) -> RunColumns {
        var columns = RunColumns()
        for key in keys { columns.add(key, rowCount: rows.count) }
        let all = Array(0..<rows.count)
        if summaryRows == nil, !RunColumns.metrics(in: keys).isEmpty {
            var learned = Bits(count: rows.count)
            try fill(&columns, all, reader, documents: .all, deadline, learn: &learned)
            summaryRows = learned
        } else {
            var learned = summaryRows ?? Bits(count: 0)
            try fill(&columns, all, reader, documents: .needed, deadline, learn: &learned)
        }
        return columns
    }

    /// Reads every loaded column again for runs that were written to.
    mutating func reload(_ changed: [Int], _ reader: any StoreReader) throws(Refusal) {
        guard !changed.isEmpty else { return }
        summaryRows?.grow(to: rows.count)
        guard !columns.keys.isEmpty else {
            for row in changed { summaryRows?[row] = true }
            return
        }
        var taken = RunColumns()
        swap(&taken, &columns)
        var learned = summaryRows ?? Bits(count: rows.count)
        try fill(&taken, changed, reader, documents: .all, .none, learn: &learned)
        if summaryRows != nil { summaryRows = learned }
        swap(&taken, &columns)
    }

    /// Reads a metric's columns again for runs that got points which could not simply be taken in.
    mutating func reload(metric name: String, _ changed: [Int], _ reader: any StoreReader) throws(Refusal) {
        var taken = RunColumns()
        for key in columns.keys {
            guard case .numbers(.metric(name, _)) = key else { continue }
            taken.numbers[key] = columns.numbers.removeValue(forKey: key)
        }
        var learned = summaryRows ?? Bits(count: 0)
        try fill(&taken, changed, reader, documents: .needed, .none, learn: &learned)
        columns.merge(taken)
    }

    private enum Documents { case all, needed }

    private func fill(
        _ columns: inout RunColumns, _ wanted: [Int], _ reader: any StoreReader, documents choice: Documents,
        _ deadline: SearchDeadline, learn learned: inout Bits
    ) throws(Refusal) {
        let metrics = columns.metrics
        let needs = Needs(columns.keys)
        let keepsLive = wanted.count < rows.count
        for start in stride(from: 0, to: wanted.count, by: 2000) {
            try deadline.check()
            let page = Array(wanted[start..<min(start + 2000, wanted.count)])
            let keys = page.map { rows.key(of: $0) }
            var documents: [RunKey: RunDocuments] = [:]
            if choice == .all || needs.attributes {
                documents = try reader.documents(of: keys)
            } else if !metrics.isEmpty {
                let summaries = summaryRows
                let some = page.filter { summaries?[$0] ?? true }
                if !some.isEmpty { documents = try reader.documents(of: some.map { rows.key(of: $0) }) }
            }
            if choice == .all {
                for (row, key) in zip(page, keys) { learned[row] = !(documents[key]?.summary.isEmpty ?? true) }
            }
            var runs: [RunKey: Run] = [:]
            if needs.runs { for run in try reader.runs(keys) { runs[run.key] = run } }
            let lookup = Page(
                rows: page, keys: keys, documents: keys.map { documents[$0] }, runs: keys.map { runs[$0] })
            for key in Array(columns.values.keys) {
                guard var column = columns.values.removeValue(forKey: key) else { continue }
                try fill(&column, key, lookup, reader)
                columns.values[key] = column
            }
            if var column = columns.numbers.removeValue(forKey: ColumnKey.artifactCount) {
                for (row, key) in zip(page, keys) {
                    guard let run = runs[key] else {
                        column.set(row, nil)
                        continue
                    }
                    let document = RunDocumentView(run, reader, now: run.created)
                    if case .number(let count) = document.value(of: .attribute(.artifactCount)) {
                        column.set(row, count)
                    }
                    try document.check()
                }
                columns.numbers[ColumnKey.artifactCount] = column
            }
            for (name, parts) in metrics {
                try fill(&columns, name, parts, lookup, reader, keepsLive: keepsLive)
            }
        }
    }

    private func fill(
        _ column: inout ValueColumn, _ key: ColumnKey, _ page: Page, _ reader: any StoreReader
    ) throws(Refusal) {
        var hint = 0
        for (place, row) in page.rows.enumerated() {
            let value: SearchValue
            switch key {
            case .values(.param(let name)):
                value = SearchValue(param: page.documents[place]?.attributes.params.value(of: name, near: &hint))
            case .values(.tag(let name)):
                value = SearchValue(tag: page.documents[place]?.attributes.tags.value(of: name, near: &hint) ?? .none)
            case .values(.attribute(.user)):
                value = SearchValue(text: page.documents[place]?.attributes.properties["user"])
            case .values(.dataset(let part)): value = try DatasetFacts.values(of: part, page.keys[place], reader)
            case .values(.attribute(.name)): value = SearchValue(text: page.runs[place]?.name)
            case .values(.attribute(.status)): value = SearchValue(text: page.runs[place]?.status.word)
            case .parent:
                let above = rows.parents[row]
                if above == 0 {
                    value = .missing
                } else if let place = rows.row(of: RunKey(above)) {
                    value = .text(rows.id(of: place).text)
                } else {
                    value = SearchValue(text: try reader.run(RunKey(above))?.id.text)
                }
            default: preconditionFailure("no column holds \(key)")
            }
            column.set(row, value)
        }
    }

    private func fill(
        _ columns: inout RunColumns, _ name: String, _ parts: [MetricPart], _ page: Page, _ reader: any StoreReader,
        keepsLive: Bool
    ) throws(Refusal) {
        let states = try reader.seriesColumn(name, of: page.keys)
        for part in parts {
            let key = ColumnKey.numbers(.metric(name, part))
            guard var column = columns.numbers.removeValue(forKey: key) else { continue }
            for (place, row) in page.rows.enumerated() {
                let runKey = page.keys[place]
                let summary = page.documents[place]?.summary[name]
                let lanes = states[runKey]
                if lanes == nil, summary == nil, rows.forks[row] == nil {
                    column.set(row, nil)
                } else if let lanes, lanes.count == 1, lanes[0].lane == .plain, rows.forks[row] == nil {
                    let isLive = keepsLive && part == .latest && summary == nil
                    let number = part.number(of: lanes[0], summary: summary)
                    column.set(row, number, live: isLive ? lanes[0].last : nil)
                } else if rows.forks[row] == nil, lanes?.allSatisfy({ $0.lane == .unstepped }) ?? true {
                    column.set(row, part.number(of: lanes?.first, summary: summary))
                } else if let run = try reader.run(runKey) {
                    // Several lanes, attempts or a fork: what counts is found by reading the curve.
                    column.set(row, part.number(of: try reader.metrics(of: run, named: [name]).first))
                } else {
                    column.set(row, nil)
                }
            }
            columns.numbers[key] = column
        }
    }
}

/// Some rows and what was read of them.
private struct Page {
    var rows: [Int]
    var keys: [RunKey]
    /// Of each row, where they were needed and are there.
    var documents: [RunDocuments?]
    var runs: [Run?]
}

/// What has to be read to fill some columns.
private struct Needs {
    var attributes = false
    var runs = false

    init(_ keys: [ColumnKey]) {
        for key in keys {
            switch key {
            case .values(.param), .values(.tag), .values(.attribute(.user)): attributes = true
            case .values(.attribute), .numbers(.attribute): runs = true
            default: break
            }
        }
    }
}

extension Pairs {
    /// The value of a key. Runs of one experiment log their keys in one order, so the place where the last run had it is
    /// looked at first.
    fileprivate func value(of key: String, near hint: inout Int) -> Value? {
        if hint < entries.count, entries[hint].key == key { return entries[hint].value }
        guard entries.count <= 64 else { return self[key] }
        for place in entries.indices where entries[place].key == key {
            hint = place
            return entries[place].value
        }
        return nil
    }
}

extension ColumnKey {
    static let artifactCount = ColumnKey.numbers(.attribute(.artifactCount))
}
