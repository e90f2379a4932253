import MartletDomain
import MartletEngine
import MartletSearch

/// Filters and orders of the two searches of the registry, on the tree that Martlet searches models with.
enum RegistryQuery {
    private static let entities: [String: Clause.Entity] = ["attribute": .attribute, "tag": .tag, "tags": .tag]

    private static func clauses(_ filter: String) throws(Refusal) -> [Clause] {
        let known = Clause.entities.merging(entities) { _, own in own }
        let clauses = try ClauseParser.clauses(filter, entities: known)
        for clause in clauses where entities[clause.writtenEntity] == nil {
            throw .mlflow(
                "Invalid entity type '\(clause.writtenEntity)'. Valid entity types are ('attribute', 'tag', 'tags')")
        }
        return clauses
    }

    // MARK: Models

    static func models(filter: String, orderBy: [String]) throws(Refusal) -> MartletSearch.Query {
        var conditions: [Expression] = []
        let clauses = try clauses(filter)
        for clause in withoutPromptClauses(clauses) {
            if clause.entity == .tag {
                conditions.append(try tag(clause))
            } else if clause.key == "name" {
                conditions.append(try text(clause, .of(ModelDocument.self, "name")))
            } else {
                throw .mlflow("Invalid attribute key '\(clause.key)' specified. Valid keys are '{'name'}'")
            }
        }
        if !wantsPrompts(clauses) { conditions.append(notPrompts) }
        let order = try order(orderBy) { key throws(Refusal) in
            switch key {
            case "name": return .of(ModelDocument.self, "name")
            case "timestamp", "last_updated_timestamp": return .of(ModelDocument.self, "updated")
            default:
                throw .mlflow(
                    "Invalid order by key '\(key)' specified. Valid keys are '{'name', 'last_updated_timestamp'}'")
            }
        }
        return MartletSearch.Query(filter: try conditions.filter(), order: order)
    }

    // MARK: Versions

    static func versions(filter: String, orderBy: [String]) throws(Refusal) -> MartletSearch.Query {
        var conditions: [Expression] = []
        let clauses = try clauses(filter)
        for clause in withoutPromptClauses(clauses) {
            conditions.append(clause.entity == .tag ? try tag(clause) : try versionAttribute(clause))
        }
        if !wantsPrompts(clauses) { conditions.append(notPrompts) }
        let order = try order(orderBy) { key throws(Refusal) in
            switch key {
            case "name": return .of(ModelVersionDocument.self, "name")
            case "version_number": return .of(ModelVersionDocument.self, "version")
            case "creation_timestamp": return .of(ModelVersionDocument.self, "created")
            case "last_updated_timestamp": return .of(ModelVersionDocument.self, "updated")
            default:
                throw .mlflow(
                    "Invalid attribute key '\(key)' specified. Valid keys are '{'name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'}'"
                )
            }
        }
        return MartletSearch.Query(filter: try conditions.filter(), order: order)
    }

    /// What decides where the order does not: the latest first, unless something was asked for.
    static func versionTies(orderBy: [String]) -> [OrderTerm] {
        let name = OrderTerm(.of(ModelVersionDocument.self, "name"))
        let number = OrderTerm(.of(ModelVersionDocument.self, "version"), descending: true)
        guard orderBy.isEmpty else { return [name, number] }
        return [OrderTerm(.of(ModelVersionDocument.self, "updated"), descending: true), name, number]
    }

    private static func versionAttribute(_ clause: Clause) throws(Refusal) -> Expression {
        switch clause.key {
        case "name": return try text(clause, .of(ModelVersionDocument.self, "name"))
        case "source_path": return try text(clause, .of(ModelVersionDocument.self, "source"))
        case "run_id":
            let field = Field.of(ModelVersionDocument.self, "run")
            guard clause.comparator == .among else { return try text(clause, field) }
            return .predicate(Predicate(field, try clause.textCondition()))
        case "version_number":
            guard Clause.numberOperators.contains(clause.comparator) else {
                throw .mlflow("Invalid comparator for attribute version_number: \(clause.comparator.rawValue)")
            }
            var clause = clause
            // The number may stand in quotes, as versions do elsewhere.
            if case .text(let text, let written) = clause.value {
                clause.value = Int(text) == nil ? .word(written) : .number(text)
            }
            let condition = try clause.numberCondition("numeric attribute: version_number")
            return .predicate(Predicate(.of(ModelVersionDocument.self, "version"), condition))
        default:
            throw .mlflow(
                "Invalid attribute key '\(clause.key)' specified. Valid keys are '{'name', 'version_number', 'run_id', 'source_path'}'"
            )
        }
    }

    // MARK: Pieces

    private static func text(_ clause: Clause, _ field: Field) throws(Refusal) -> Expression {
        if case .list = clause.value {
            throw .mlflow("Only the 'run_id' attribute supports comparison with a list of quoted string values.")
        }
        if case .number(let number) = clause.value {
            throw .mlflow(
                "Expected a quoted string value or a list of quoted string values for attributes. Got value \(number)")
        }
        guard Clause.textOperators.contains(clause.comparator) else {
            throw .mlflow("Invalid comparator for attribute: \(clause.comparator.rawValue)")
        }
        let condition = try clause.textCondition()
        let own = Expression.predicate(Predicate(field, condition))
        // A field of ours that is not there is an empty text in MLflow.
        guard RunQuery.holds(condition, of: "") else { return own }
        return .or([own, .predicate(Predicate(field, .exists(false)))])
    }

    private static func tag(_ clause: Clause) throws(Refusal) -> Expression {
        guard Clause.textOperators.contains(clause.comparator) else {
            throw .mlflow("Invalid comparator for tag: \(clause.comparator.rawValue)")
        }
        return .predicate(Predicate(.tag(clause.key), try clause.textCondition()))
    }

    private static func order(
        _ orderBy: [String], _ field: (String) throws(Refusal) -> Field
    ) throws(Refusal) -> [OrderTerm] {
        var terms: [OrderTerm] = []
        for text in orderBy {
            let term = try ClauseParser.orderTerm(text)
            if let entity = term.entity, Clause.entities[entity] != .attribute {
                throw .mlflow("Invalid order_by entity: \(entity)")
            }
            let field = try field(term.key)
            guard !terms.contains(where: { $0.field == field }) else {
                throw .mlflow("`order_by` contains duplicate fields: \(orderBy)")
            }
            terms.append(OrderTerm(field, descending: term.isDescending, asText: true))
        }
        return terms
    }

    // MARK: Prompts

    private static func isAboutPrompts(_ clause: Clause) -> Bool {
        clause.entity == .tag && clause.key == PromptTags.isPrompt
    }

    /// The first clause about it says which of the two are looked for.
    private static func wantsPrompts(_ clauses: [Clause]) -> Bool {
        guard let clause = clauses.first(where: isAboutPrompts), case .text(let text, _) = clause.value else {
            return false
        }
        switch clause.comparator {
        case .equal: return text.lowercased() == "true"
        case .notEqual: return text.lowercased() == "false"
        default: return false
        }
    }

    /// Models have no such tag, so a clause that asks for models is what happens anyway.
    private static func withoutPromptClauses(_ clauses: [Clause]) -> [Clause] {
        wantsPrompts(clauses) ? clauses : clauses.filter { !isAboutPrompts($0) }
    }

    private static let notPrompts = Expression.or([
        .predicate(Predicate(.tag(PromptTags.isPrompt), .exists(false))),
        .predicate(Predicate(.tag(PromptTags.isPrompt), .compare(.notEqual, .exactText("true")))),
    ])
}

extension Field {
    /// An attribute of models, versions or logged models by its name there.
    static func of<Document: RegistryDocument>(_ documents: Document.Type, _ name: String) -> Field {
        guard let field = Document.words.field(name) else { preconditionFailure("no attribute \(name)") }
        return field
    }
}
