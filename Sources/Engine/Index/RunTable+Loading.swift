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
        // So few that their documents stay in the processor's cache while column after column goes over them.
        for start in stride(from: 0, to: wanted.count, by: 250) {
            try deadline.check()
            let page = Array(wanted[start..<min(start + 250, wanted.count)])
            let keys = page.map { rows.key(of: $0) }
            let documents = try documents(of: page, keys, choice, needs, hasMetrics: !metrics.isEmpty, reader)
            if choice == .all {
                for (place, row) in page.enumerated() { learned[row] = !documents[place].summary.isEmpty }
            }
            var runs: [RunKey: Run] = [:]
            if needs.runs { for run in try reader.runs(keys) { runs[run.key] = run } }
            let lookup = Page(rows: page, keys: keys, documents: documents, runs: keys.map { runs[$0] })
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
            if !metrics.isEmpty { try fill(&columns, metrics, lookup, reader, keepsLive: keepsLive) }
        }
    }

    /// What has to be read of them: summaries only where a row may have one.
    private func documents(
        of page: [Int], _ keys: [RunKey], _ choice: Documents, _ needs: Needs, hasMetrics: Bool,
        _ reader: any StoreReader
    ) throws(Refusal) -> [RunDocuments] {
        if choice == .all || needs.attributes { return try reader.documents(of: keys) }
        var all = [RunDocuments](repeating: RunDocuments(), count: page.count)
        guard hasMetrics else { return all }
        let some = page.indices.filter { summaryRows?[page[$0]] ?? true }
        guard !some.isEmpty else { return all }
        for (place, found) in zip(some, try reader.documents(of: some.map { keys[$0] })) { all[place] = found }
        return all
    }

    private func fill(
        _ column: inout ValueColumn, _ key: ColumnKey, _ page: Page, _ reader: any StoreReader
    ) throws(Refusal) {
        var hint = 0
        // Of params and tags there are dozens, so their loops decide nothing row by row.
        if case .values(.param(let name)) = key {
            for (place, row) in page.rows.enumerated() {
                if let value = page.documents[place].attributes.params.value(of: name, near: &hint) {
                    column.set(row, typed: value.text)
                } else {
                    column.set(row, .missing)
                }
            }
            return
        }
        if case .values(.tag(let name)) = key {
            for (place, row) in page.rows.enumerated() {
                switch page.documents[place].attributes.tags.value(of: name, near: &hint) {
                case .some(.some(let text)): column.set(row, typed: text)
                case .some(.none): column.set(row, .flag)
                case .none: column.set(row, .missing)
                }
            }
            return
        }
        for (place, row) in page.rows.enumerated() {
            let value: SearchValue
            switch key {
            case .values(.attribute(.user)):
                value = SearchValue(text: page.documents[place].attributes.properties["user"])
            case .values(.attribute(.gitCommit)):
                value = SearchValue(text: page.documents[place].attributes.properties["git_commit"])
            case .values(.attribute(.gitBranch)):
                value = SearchValue(text: page.documents[place].attributes.gitBranch)
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

    /// All metrics in one pass: a run's document holds them side by side.
    private func fill(
        _ columns: inout RunColumns, _ metrics: [String: [MetricPart]], _ page: Page, _ reader: any StoreReader,
        keepsLive: Bool
    ) throws(Refusal) {
        let names = metrics.keys.sorted(by: precedes)
        var targets = names.map { name in
            (metrics[name] ?? []).compactMap { part in
                let key = ColumnKey.numbers(.metric(name, part))
                return columns.numbers.removeValue(forKey: key).map { (part: part, key: key, column: $0) }
            }
        }
        try reader.eachSeries(of: page.keys, named: names) { (place, series) throws(Refusal) in
            var next = 0
            for (index, name) in names.enumerated() {
                let start = next
                while next < series.count, series[next].name == name { next += 1 }
                for target in targets[index].indices {
                    let part = targets[index][target].part
                    let (number, live) = try cell(name, part, series[start..<next], page, place, reader)
                    targets[index][target].column.set(page.rows[place], number, live: keepsLive ? live : nil)
                }
            }
        }
        for target in targets.joined() { columns.numbers[target.key] = target.column }
    }

    /// What a row has in a column of a metric; the last point too where that is all there is to it.
    private func cell(
        _ name: String, _ part: MetricPart, _ lanes: ArraySlice<SeriesState>, _ page: Page, _ place: Int,
        _ reader: any StoreReader
    ) throws(Refusal) -> (number: Double?, live: Point?) {
        let summaries = page.documents[place].summary
        let summary = summaries.isEmpty ? nil : summaries[name]
        if rows.forks[page.rows[place]] == nil {
            guard let first = lanes.first else { return (part.number(of: nil, summary: summary), nil) }
            if lanes.count == 1, first.lane == .plain {
                let isLast = part == .latest && summary == nil
                return (part.number(of: first, summary: summary), isLast ? first.last : nil)
            }
            if lanes.allSatisfy({ $0.lane == .unstepped }) { return (part.number(of: first, summary: summary), nil) }
        }
        // Several lanes, attempts or a fork: what counts is found by reading the curve.
        guard let run = try reader.run(page.keys[place]) else { return (nil, nil) }
        return (part.number(of: try reader.metrics(of: run, named: [name]).first), nil)
    }
}

/// Some rows and what was read of them.
private struct Page {
    var rows: [Int]
    var keys: [RunKey]
    /// Of each row, where they were needed.
    var documents: [RunDocuments]
    var runs: [Run?]
}

/// What has to be read to fill some columns.
private struct Needs {
    var attributes = false
    var runs = false

    init(_ keys: [ColumnKey]) {
        for key in keys {
            switch key {
            case .values(.param), .values(.tag), .values(.attribute(.user)), .values(.attribute(.gitCommit)),
                .values(.attribute(.gitBranch)):
                attributes = true
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
