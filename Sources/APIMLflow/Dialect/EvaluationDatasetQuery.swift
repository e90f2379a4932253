import MartletDomain
import MartletSearch

/// A filter and an order of `datasets/search`.
struct EvaluationDatasetQuery {
    private let conditions: [(subject: Subject, check: CompiledPredicate)]
    private let order: [(key: Key, isDescending: Bool)]

    private enum Key: String { case name, created_time, last_update_time }
    private enum Subject { case name, createdBy, updatedBy, created, updated, tag(String) }

    private static let entities: [String: Clause.Entity] = ["tags": .tag, "tag": .tag]

    init(filter: String, orderBy: [String]) throws(Refusal) {
        var conditions: [(Subject, CompiledPredicate)] = []
        for clause in try ClauseParser.clauses(filter, entities: EvaluationDatasetQuery.entities) {
            let (subject, predicate) = try EvaluationDatasetQuery.read(clause)
            do throws(SearchError) {
                conditions.append((subject, try CompiledPredicate(predicate, in: EvaluationContext(now: 0))))
            } catch {
                throw .mlflow(error.description)
            }
        }
        self.conditions = conditions
        var order: [(Key, Bool)] = []
        for text in orderBy {
            let term = try ClauseParser.orderTerm(text)
            guard term.entity == nil, let key = Key(rawValue: term.key) else {
                throw .mlflow(
                    "Invalid attribute key '\(term.key)' specified. Valid keys are: {'name', 'created_time', 'last_update_time'}"
                )
            }
            order.append((key, term.isDescending))
        }
        self.order = order.isEmpty ? [(.created_time, true)] : order
    }

    /// The predicate's own field says only whether it compares texts or times.
    private static func read(_ clause: Clause) throws(Refusal) -> (Subject, Predicate) {
        if clause.entity == .tag {
            try clause.require(Clause.textOperators)
            return (.tag(clause.key), Predicate(.tag(clause.key), try clause.textCondition()))
        }
        let subject: Subject
        switch clause.key {
        case "name": subject = .name
        case "created_by": subject = .createdBy
        case "last_updated_by": subject = .updatedBy
        case "created_time", "last_update_time":
            try clause.require(Clause.numberOperators)
            let condition = try clause.timeCondition("numeric attribute: \(clause.key)")
            let subject = clause.key == "created_time" ? Subject.created : .updated
            return (subject, Predicate(.attribute(.created), condition))
        default:
            throw .mlflow(
                "Invalid attribute key '\(clause.key)' specified. Valid keys are: {'name', 'created_time', 'last_update_time', 'created_by', 'last_updated_by'}"
            )
        }
        try clause.require(Clause.textOperators)
        return (subject, Predicate(.attribute(.name), try clause.textCondition()))
    }

    func matches(_ dataset: EvaluationDataset) -> Bool {
        conditions.allSatisfy { condition in
            (try? condition.check.test(EvaluationDatasetQuery.value(of: condition.subject, in: dataset))) ?? false
        }
    }

    private static func value(of subject: Subject, in dataset: EvaluationDataset) -> SearchValue {
        func text(_ text: String) -> SearchValue { text.isEmpty ? .missing : .text(text) }
        return switch subject {
        case .name: .text(dataset.name)
        case .createdBy: text(dataset.createdBy)
        case .updatedBy: text(dataset.updatedBy)
        case .created: .time(dataset.created.micros)
        case .updated: .time(dataset.updated.micros)
        case .tag(let key): dataset.tags[key].map { .text($0) } ?? .missing
        }
    }

    /// What compares equal comes newest first.
    func sorted(_ datasets: [EvaluationDataset]) -> [EvaluationDataset] {
        datasets.sorted { a, b in
            for (key, isDescending) in order {
                let comes: Int
                switch key {
                case .name: comes = Self.order(a.name, b.name)
                case .created_time: comes = Self.order(a.created.millis, b.created.millis)
                case .last_update_time: comes = Self.order(a.updated.millis, b.updated.millis)
                }
                if comes != 0 { return isDescending ? comes > 0 : comes < 0 }
            }
            return a.card > b.card
        }
    }

    private static func order<Value: Comparable>(_ a: Value, _ b: Value) -> Int { a < b ? -1 : a > b ? 1 : 0 }
}
