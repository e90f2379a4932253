package import MartletDomain
package import MartletSearch

// Models, versions and logged models as a filter sees them. Their attributes are those of the vocabularies; a surface
// with words of its own reads its filter onto the same names (`ModelDocument.words.field("name")`).

/// What a search of the registry looks at.
package protocol RegistryDocument: SearchDocument, Sendable {
    static var words: Vocabulary { get }
    /// What decides where the order that was asked for does not.
    static var ties: [OrderTerm] { get }
    /// The id of its card: the last word in every order, and the place where a page ended.
    var card: Int64 { get }
    var project: ProjectID { get }

    func attribute(_ name: String) -> SearchValue
    func tag(_ key: String) -> TagValue?
    func param(_ key: String) -> SearchValue
    func metric(_ key: String) -> SearchValue
}

extension RegistryDocument {
    /// A term over an attribute of these documents.
    static func term(_ name: String, descending: Bool = false) -> OrderTerm {
        guard let field = words.field(name) else { preconditionFailure("no attribute \(name)") }
        return OrderTerm(field, descending: descending)
    }

    package func value(of field: Field) -> SearchValue {
        guard field.relation == .run else { return .missing }
        switch field.name {
        case .other(let name, _): return attribute(name)
        case .tag(let key): return SearchValue(tag: tag(key))
        case .param(let key): return param(key)
        case .metric(let key, .latest): return metric(key)
        // The tie of every order.
        case .attribute(.id): return .number(Double(card))
        case .attribute, .metric, .dataset: return .missing
        }
    }

    package func param(_ key: String) -> SearchValue { .missing }
    package func metric(_ key: String) -> SearchValue { .missing }

    func text(_ text: String) -> SearchValue { text.isEmpty ? .missing : .text(text) }
}

package struct ModelDocument: RegistryDocument {
    package var model: RegisteredModel
    package init(_ model: RegisteredModel) { self.model = model }

    package static let words = Vocabulary(
        "model",
        [("name", .text), ("description", .text), ("created", .time), ("updated", .time), ("alias", .text)],
        also: [
            "title": "name", "created_at": "created", "updated_at": "updated", "notes": "description",
            "aliases": "alias",
        ])
    package static let ties = [term("name")]
    package var card: Int64 { model.id }
    package var project: ProjectID { model.project }

    package func attribute(_ name: String) -> SearchValue {
        switch name {
        case "name": .text(model.name)
        case "description": text(model.description)
        case "created": .time(model.created.micros)
        case "updated": .time(model.updated.micros)
        case "alias": .several(model.aliases.keys.map { .text($0) })
        default: .missing
        }
    }

    package func tag(_ key: String) -> TagValue? { model.tags[key] }
}

package struct ModelVersionDocument: RegistryDocument {
    package var version: ModelVersion
    package var model: RegisteredModel
    package init(_ version: ModelVersion, of model: RegisteredModel) { (self.version, self.model) = (version, model) }

    package static let words = Vocabulary(
        "version",
        [
            ("name", .text), ("version", .number), ("stage", .word), ("status", .word), ("source", .text),
            ("run", .text), ("logged_model", .text), ("user", .text), ("description", .text), ("alias", .text),
            ("created", .time), ("updated", .time),
        ],
        also: [
            "model": "name", "version_number": "version", "current_stage": "stage", "source_path": "source",
            "run_id": "run", "model_id": "logged_model", "user_id": "user", "notes": "description",
            "aliases": "alias", "created_at": "created", "updated_at": "updated",
        ])
    package static let ties = [term("name"), term("version", descending: true)]
    package var card: Int64 { version.id }
    package var project: ProjectID { version.project }

    package func attribute(_ name: String) -> SearchValue {
        switch name {
        case "name": .text(model.name)
        case "version": .number(Double(version.number))
        case "stage": .text(version.stage.rawValue)
        case "status": .text(version.state.rawValue)
        case "source": .text(version.source)
        case "run": text(version.run)
        case "logged_model": text(version.loggedModel)
        case "user": text(version.user)
        case "description": text(version.description)
        case "alias": .several(model.aliases(of: version.number).map { .text($0) })
        case "created": .time(version.created.micros)
        case "updated": .time(version.updated.micros)
        default: .missing
        }
    }

    package func tag(_ key: String) -> TagValue? { version.tags[key] }
}

package struct LoggedModelDocument: RegistryDocument {
    package var model: LoggedModel
    /// Only numbers that were measured on one of these count, where there are any; a digest of nil is every one.
    package var datasets: [(name: String, digest: String?)]

    package init(_ model: LoggedModel, datasets: [(name: String, digest: String?)] = []) {
        (self.model, self.datasets) = (model, datasets)
    }

    package static let words = Vocabulary(
        "logged model",
        [
            ("id", .text), ("name", .text), ("type", .text), ("status", .word), ("run", .text),
            ("experiment", .text), ("created", .time), ("updated", .time),
        ],
        also: [
            "model_id": "id", "model_type": "type", "source_run_id": "run", "run_id": "run",
            "experiment_id": "experiment", "created_at": "created", "updated_at": "updated",
        ], spaces: [.tag, .param, .metric])
    package static let ties = [term("created", descending: true), term("id")]
    package var card: Int64 { model.card }
    package var project: ProjectID { model.project }

    package func attribute(_ name: String) -> SearchValue {
        switch name {
        case "id": .text(model.id)
        case "name": .text(model.name)
        case "type": text(model.type)
        case "status": .text(model.state.rawValue)
        case "run": text(model.sourceRun)
        case "experiment": .text("\(model.experiment)")
        case "created": .time(model.created.micros)
        case "updated": .time(model.updated.micros)
        default: .missing
        }
    }

    package func tag(_ key: String) -> TagValue? { model.tags[key] }
    package func param(_ key: String) -> SearchValue { SearchValue(param: model.params[key]) }

    /// On several datasets there are several.
    package func metric(_ key: String) -> SearchValue {
        let values = model.metrics.filter { $0.key == key && counts($0) }.map { SearchValue.number($0.value) }
        return values.count == 1 ? values[0] : .several(values)
    }

    package func counts(_ metric: ModelMetric) -> Bool {
        datasets.isEmpty
            || datasets.contains {
                $0.name == metric.dataset && ($0.digest ?? metric.datasetDigest) == metric.datasetDigest
            }
    }
}
