import MartletDomain
import MartletEngine
import MartletSearch

/// A filter and an order of `runs/search` on the tree that Martlet searches runs with.
enum RunQuery {
    /// Every run that is searched and where its artifacts are; asked only by a filter that looks at that.
    typealias ArtifactURIs = () throws(Refusal) -> [(id: RunID, uri: String)]

    static func make(
        filter: String, orderBy: [String], uris: @escaping ArtifactURIs
    ) throws(Refusal) -> MartletSearch.Query {
        var conditions: [Expression] = []
        for clause in try ClauseParser.clauses(filter) { conditions.append(try expression(clause, uris)) }
        return MartletSearch.Query(filter: try conditions.filter(), order: try order(orderBy))
    }

    // MARK: Conditions

    private static func expression(_ clause: Clause, _ uris: ArtifactURIs) throws(Refusal) -> Expression {
        switch clause.entity {
        case .metric:
            try clause.require(Clause.numberOperators)
            return .predicate(Predicate(.metric(clause.key), try clause.numberCondition("metric")))
        case .parameter:
            try clause.require(Clause.textOperators.union(Clause.nullOperators))
            return .predicate(Predicate(.param(clause.key), try clause.textCondition()))
        case .tag:
            try clause.require(Clause.textOperators.union(Clause.nullOperators))
            return tag(clause.key, try clause.textCondition())
        case .attribute: return try attribute(clause, uris)
        case .dataset:
            guard let part = DatasetPart(rawValue: clause.key), part != .version else {
                throw .mlflow(
                    "Invalid dataset key '\(clause.key)' specified. Valid keys are '{'context', 'digest', 'name'}'")
            }
            try clause.require(Clause.textOperators.union(Clause.listOperators))
            return .predicate(Predicate(Field(.dataset(part)), try clause.textCondition()))
        }
    }

    /// Some of MLflow's tags are fields of a run here.
    private static func tag(_ key: String, _ condition: Condition) -> Expression {
        let own = Expression.predicate(Predicate(.tag(key), condition))
        switch key {
        case RunTags.name: return .predicate(Predicate(.attribute(.name), condition))
        case RunTags.note: return .predicate(Predicate(.attribute(.notes), condition))
        case RunTags.parent:
            let parent = Expression.predicate(Predicate(Field(.attribute(.id), of: .parent), condition))
            if case .exists(false) = condition { return .all([own, parent]) }
            return .any([own, parent])
        default: return own
        }
    }

    private static let textAttributes: [String: Field] = [
        "run_id": .attribute(.id), "run_name": .attribute(.name), "run name": .attribute(.name),
        "Run name": .attribute(.name), "Run Name": .attribute(.name), "user_id": .attribute(.user),
    ]
    private static let timeAttributes: [String: Field] = [
        "start_time": .attribute(.started), "created": .attribute(.started), "Created": .attribute(.started),
        "end_time": .attribute(.ended),
    ]

    private static func attribute(_ clause: Clause, _ uris: ArtifactURIs) throws(Refusal) -> Expression {
        if let field = timeAttributes[clause.key] {
            try clause.require(Clause.numberOperators)
            return .predicate(Predicate(field, try clause.timeCondition("numeric attribute: \(clause.key)")))
        }
        if clause.key == "status" {
            try requireText(clause)
            return try status(try clause.textCondition())
        }
        if clause.key == "artifact_uri" {
            try requireText(clause)
            return try artifactURI(try clause.textCondition(), uris)
        }
        guard let field = textAttributes[clause.key] else {
            throw .mlflow(
                "Invalid attribute key '\(clause.key)' specified. Valid keys are '{'run_id', 'run_name', 'status', 'artifact_uri', 'user_id', 'start_time', 'end_time'}'"
            )
        }
        try requireText(clause)
        return .predicate(Predicate(field, try clause.textCondition()))
    }

    private static func requireText(_ clause: Clause) throws(Refusal) {
        try clause.require(Clause.textOperators.union(Clause.listOperators))
        if case .list = clause.value, clause.key != "run_id" {
            throw .mlflow("Only the 'run_id' attribute supports comparison with a list of quoted string values.")
        }
        if case .number(let number) = clause.value {
            throw .mlflow("Expected a quoted string value for attributes. Got value \(number)")
        }
    }

    /// The five words of MLflow stand for states: which of them the condition takes is known before any run is looked at.
    private static func status(_ condition: Condition) throws(Refusal) -> Expression {
        let words = RunStatus.allCases.map(\.rawValue).filter { holds(condition, of: $0) }
        return .predicate(
            Predicate(
                .attribute(.state),
                .among(
                    words.flatMap { RunStatus(rawValue: $0)?.states ?? [] }.map { .exactText($0.word) }, negated: false)
            ))
    }

    static func holds(_ condition: Condition, of text: String) -> Bool {
        let context = EvaluationContext(now: 0)
        let compiled = try? CompiledPredicate(Predicate(.attribute(.name), condition), in: context)
        return (try? compiled?.test(.text(text))) ?? false
    }

    /// Where a run's artifacts are is made of its experiment's place and its id: which runs a condition takes is found by
    /// making it for each of them.
    private static func artifactURI(_ condition: Condition, _ runs: ArtifactURIs) throws(Refusal) -> Expression {
        var ids: [Literal] = []
        for (id, uri) in try runs() where holds(condition, of: uri) { ids.append(.exactText(id.text)) }
        return .predicate(Predicate(.attribute(.id), .among(ids, negated: false)))
    }

    // MARK: Order

    private static let orderAttributes: [String: Field] = textAttributes.merging(timeAttributes) { a, _ in a }
        .merging(["status": .attribute(.status), "artifact_uri": .attribute(.id)]) { a, _ in a }

    private static func order(_ orderBy: [String]) throws(Refusal) -> [OrderTerm] {
        var terms: [OrderTerm] = []
        for text in orderBy {
            let term = try ClauseParser.orderTerm(text)
            let field = try orderField(term.entity, term.key)
            guard !terms.contains(where: { $0.field == field }) else {
                throw .mlflow("`order_by` contains duplicate fields: \(orderBy)")
            }
            terms.append(OrderTerm(field, descending: term.isDescending, asText: true))
        }
        return terms
    }

    private static func orderField(_ entity: String?, _ key: String) throws(Refusal) -> Field {
        guard let known = entity.map({ Clause.entities[$0] }) ?? .attribute else {
            throw .mlflow(
                "Invalid entity type '\(entity ?? "")'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
            )
        }
        switch known {
        case .metric: return .metric(key)
        case .parameter: return .param(key)
        case .tag: return key == RunTags.name ? .attribute(.name) : .tag(key)
        case .attribute:
            guard let field = orderAttributes[key] else {
                throw .mlflow(
                    "Invalid attribute key '\(key)' specified. Valid keys are '{'start_time', 'end_time', 'run_id', 'run_name', 'status', 'artifact_uri', 'user_id'}'"
                )
            }
            return field
        case .dataset: throw .mlflow("Invalid order_by entity type 'dataset'")
        }
    }
}
