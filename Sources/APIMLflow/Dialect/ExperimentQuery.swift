import MartletDomain
import MartletSearch

/// A filter and an order of `experiments/search`.
struct ExperimentQuery {
    private let conditions: [(field: Field, check: CompiledPredicate)]
    private let order: [(key: Key, isDescending: Bool)]

    private enum Key: String { case name, experiment_id, creation_time, last_update_time }

    private static let entities: [String: Clause.Entity] = [
        "attribute": .attribute, "attributes": .attribute, "attr": .attribute, "tag": .tag, "tags": .tag,
    ]

    init(filter: String, orderBy: [String]) throws(Refusal) {
        var conditions: [(Field, CompiledPredicate)] = []
        for clause in try ExperimentQuery.clauses(filter) {
            let predicate = try ExperimentQuery.predicate(clause)
            do throws(SearchError) {
                conditions.append((predicate.field, try CompiledPredicate(predicate, in: EvaluationContext(now: 0))))
            } catch {
                throw .mlflow(error.description)
            }
        }
        self.conditions = conditions
        var order: [(Key, Bool)] = []
        for text in orderBy {
            let term = try ClauseParser.orderTerm(text)
            if let entity = term.entity, ExperimentQuery.entities[entity] != .attribute {
                throw .mlflow("Invalid order_by entity: \(entity)")
            }
            guard let key = Key(rawValue: term.key) else {
                throw .mlflow(
                    "Invalid attribute key '\(term.key)' specified. Valid keys are '{'name', 'experiment_id', 'creation_time', 'last_update_time'}'"
                )
            }
            order.append((key, term.isDescending))
        }
        if order.isEmpty {
            order = [(.creation_time, true), (.experiment_id, false)]
        } else if !order.contains(where: { $0.0 == .experiment_id }) {
            order.append((.experiment_id, true))
        }
        self.order = order
    }

    private static func clauses(_ filter: String) throws(Refusal) -> [Clause] {
        var known = entities
        for (name, entity) in Clause.entities where known[name] == nil { known[name] = entity }
        let clauses = try ClauseParser.clauses(filter, entities: known)
        for clause in clauses where entities[clause.writtenEntity] == nil {
            throw .mlflow(
                "Invalid entity type '\(clause.writtenEntity)'. Valid entity types are ('attribute', 'tag', 'tags')")
        }
        return clauses
    }

    private static func predicate(_ clause: Clause) throws(Refusal) -> Predicate {
        if clause.entity == .tag {
            try clause.require(Clause.textOperators.union(Clause.nullOperators))
            return Predicate(.tag(clause.key), try clause.textCondition())
        }
        switch clause.key {
        case "name":
            try clause.require(Clause.textOperators)
            return Predicate(.attribute(.name), try clause.textCondition())
        case "experiment_id":
            try clause.require([.equal, .notEqual, .among, .notAmong])
            return Predicate(.attribute(.shortID), try clause.textCondition())
        case "creation_time", "last_update_time":
            try clause.require(Clause.numberOperators)
            let field = Field.attribute(clause.key == "creation_time" ? .created : .updated)
            return Predicate(field, try clause.timeCondition("numeric attribute: \(clause.key)"))
        default:
            throw .mlflow(
                "Invalid attribute key '\(clause.key)' specified. Valid keys are '{'name', 'creation_time', 'last_update_time'}'"
            )
        }
    }

    func matches(_ experiment: Experiment) -> Bool {
        conditions.allSatisfy { condition in
            (try? condition.check.test(ExperimentQuery.value(of: condition.field, in: experiment))) ?? false
        }
    }

    private static func value(of field: Field, in experiment: Experiment) -> SearchValue {
        switch field.name {
        case .tag(let key):
            ExperimentTags.shown(experiment).first { $0.key == key }.map { .text($0.value) } ?? .missing
        case .attribute(.name): .text(experiment.name)
        case .attribute(.shortID): .text("\(experiment.id)")
        case .attribute(.created): .time(experiment.created.micros)
        case .attribute(.updated): .time(experiment.updated.micros)
        default: .missing
        }
    }

    func sorted(_ experiments: [Experiment]) -> [Experiment] {
        experiments.sorted { a, b in
            for (key, isDescending) in order {
                let comes: Int
                switch key {
                case .name: comes = ExperimentQuery.order(a.name, b.name)
                case .experiment_id: comes = ExperimentQuery.order(a.id, b.id)
                case .creation_time: comes = ExperimentQuery.order(a.created.millis, b.created.millis)
                case .last_update_time: comes = ExperimentQuery.order(a.updated.millis, b.updated.millis)
                }
                if comes != 0 { return isDescending ? comes > 0 : comes < 0 }
            }
            return false
        }
    }

    private static func order<Value: Comparable>(_ a: Value, _ b: Value) -> Int { a < b ? -1 : a > b ? 1 : 0 }
}
