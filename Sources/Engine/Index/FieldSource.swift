import MartletDomain
import MartletSearch

/// Where a table finds a field, if it does.
enum FieldSource {
    /// In what every run has.
    case row(Attribute)
    case values(ColumnKey)
    case numbers(ColumnKey)
    /// The field of the run above, which is a row of the same table or is looked up on its own.
    indirect case parent(FieldSource)
    /// The same for every run of the experiment.
    case constant(SearchValue)
    /// Nowhere: notes, which may be long, and values at a step.
    case document

    init(_ field: Field, home: (experiment: Experiment, project: Project)) {
        switch field.relation {
        case .run: self = FieldSource(field.name)
        case .parent where field.name == .attribute(.id): self = .values(.parent)
        case .parent:
            let above = FieldSource(field.name)
            if case .document = above { self = .document } else { self = .parent(above) }
        case .experiment: self = .constant(HomeDocument.value(of: field.name, in: home.experiment))
        case .project: self = .constant(HomeDocument.value(of: field.name, in: home.project))
        }
    }

    private init(_ name: Field.Name) {
        switch name {
        case .other: self = .constant(.missing)
        case .param, .tag, .dataset: self = .values(.values(name))
        case .metric(_, .at): self = .document
        case .metric: self = .numbers(.numbers(name))
        case .attribute(let attribute):
            switch attribute {
            case .name, .status, .user, .gitCommit, .gitBranch: self = .values(.values(name))
            case .artifactCount: self = .numbers(.artifactCount)
            case .notes: self = .document
            case .id, .shortID, .state, .started, .ended, .created, .updated, .duration, .archived, .life:
                self = .row(attribute)
            }
        }
    }

    var column: ColumnKey? {
        switch self {
        case .values(let key), .numbers(let key): key
        case .parent(let above): above.column
        case .row, .constant, .document: nil
        }
    }
}

extension RunTable {
    /// What a row has in a field that the table holds; nil where the document has to be asked.
    func value(at row: Int, _ source: FieldSource, now: Int64) -> SearchValue? {
        switch source {
        case .row(let attribute): return value(at: row, attribute, now: now)
        case .values(let key): return columns.values[key]?.value(at: row)
        case .numbers(let key): return SearchValue(number: columns.numbers[key]?.cells.value(at: row))
        case .constant(let value): return value
        case .parent(let above):
            guard rows.parents[row] != 0 else { return .missing }
            guard let place = parentRow(of: row) else { return nil }
            return value(at: place, above, now: now)
        case .document: return nil
        }
    }

    /// The row of the run above; nil when there is none, when it lies in another experiment or was purged.
    func parentRow(of row: Int) -> Int? {
        let parent = rows.parents[row]
        guard parent != 0, let place = rows.row(of: RunKey(parent)), rows.lives[place] != RunRows.gone else {
            return nil
        }
        return place
    }

    private func value(at row: Int, _ attribute: Attribute, now: Int64) -> SearchValue {
        switch attribute {
        case .id: .text(rows.id(of: row).text)
        case .shortID: .text(Run.shortID(Int(rows.numbers[row])))
        case .state: .text(rows.state(of: row).word)
        case .started: .time(rows.starts[row])
        case .ended: rows.ends[row] == RunRows.none ? .missing : .time(rows.ends[row])
        case .created: .time(rows.created[row])
        case .updated: .time(rows.seen[row])
        case .duration: .number(duration(of: row, now: now))
        case .archived: .text(rows.state(of: row) == .archived ? "true" : "false")
        case .life: .text(LifeWords.word(Life(rawValue: rows.lives[row]) ?? .deleted))
        case .name, .status, .user, .notes, .artifactCount, .gitCommit, .gitBranch: .missing
        }
    }

    func duration(of row: Int, now: Int64) -> Double {
        let end = rows.ends[row]
        return RunTimes.duration(
            start: rows.starts[row], end: end == RunRows.none ? nil : end, seen: rows.seen[row],
            state: rows.state(of: row), now: now)
    }
}
