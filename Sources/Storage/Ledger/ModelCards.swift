package import MartletDomain
import MartletJSON

// How models, their versions and logged models lie on cards. A member that is not there is empty, so that a later
// version may add some; one of another type means that the card is damaged.

extension RegisteredModel {
    package static let kind = "model"

    var card: Card {
        var writer = JSONWriter()
        writer.object { writer in
            writer.some("description", description)
            writer.tags(tags)
            writer.object("aliases") { writer in
                for (alias, version) in aliases.entries { writer.member(dynamic: alias, version) }
            }
            writer.member("last_version", lastVersion)
        }
        return Card(
            id: id, kind: Self.kind, project: project, key: name, created: created, updated: updated, data: writer.text)
    }

    package init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        var aliases: [(key: String, value: Int)] = []
        for member in try fields.members("aliases") {
            guard let version = member.value.int64 else { throw fields.damaged("aliases") }
            aliases.append((member.key, Int(version)))
        }
        self.init(
            id: card.id, project: card.project, name: card.key, description: try fields.text("description"),
            tags: try fields.tags(), aliases: Pairs(unique: aliases),
            lastVersion: Int(try fields.integer("last_version")), created: card.created, updated: card.updated)
    }
}

extension ModelVersion {
    package static let kind = "model-version"

    var card: Card {
        var writer = JSONWriter()
        writer.object { writer in
            if stage != .none { writer.member("stage", stage.rawValue) }
            if state != .ready { writer.member("state", state.rawValue) }
            writer.some("message", stateMessage)
            writer.some("description", description)
            writer.some("source", source)
            writer.some("run", run)
            writer.some("run_link", runLink)
            writer.some("logged_model", loggedModel)
            writer.some("user", user)
            if metadata != "{}" { writer.some("metadata", metadata) }
            writer.tags(tags)
        }
        return Card(
            id: id, kind: Self.kind, project: project, owner: Card.owner(card: model), key: "\(number)",
            created: created, updated: updated, data: writer.text)
    }

    package init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        guard let number = Int(card.key), card.owner.hasPrefix("card/"), let model = Int64(card.owner.dropFirst(5))
        else { throw fields.damaged("key") }
        let metadata = try fields.text("metadata")
        self.init(
            id: card.id, model: model, project: card.project, number: number,
            stage: try fields.word("stage", default: .none), description: try fields.text("description"),
            source: try fields.text("source"), run: try fields.text("run"), runLink: try fields.text("run_link"),
            loggedModel: try fields.text("logged_model"), user: try fields.text("user"),
            state: try fields.word("state", default: .ready), stateMessage: try fields.text("message"),
            tags: try fields.tags(), metadata: metadata.isEmpty ? "{}" : metadata, created: card.created,
            updated: card.updated)
    }
}

extension LoggedModel {
    package static let kind = "logged-model"

    var asCard: Card {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("name", name)
            writer.some("type", type)
            if state != .pending { writer.member("state", state.rawValue) }
            writer.some("message", stateMessage)
            writer.some("run", sourceRun)
            if !params.isEmpty {
                writer.object("params") { writer in
                    for (key, value) in params.entries {
                        writer.key(dynamic: key)
                        guard value.kind != .text else {
                            writer.string(value.text)
                            continue
                        }
                        writer.array { writer in
                            writer.int(Int64(value.kind.rawValue))
                            writer.string(value.text)
                        }
                    }
                }
            }
            writer.tags(tags)
            if !metrics.isEmpty {
                writer.array("metrics") { writer in for metric in metrics { metric.write(to: &writer) } }
            }
        }
        return Card(
            id: card, kind: Self.kind, project: project, owner: Card.owner(experiment), key: id, life: life,
            created: created, updated: updated, data: writer.text)
    }

    package init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        guard card.owner.hasPrefix("experiment/"), let experiment = Int64(card.owner.dropFirst(11)) else {
            throw fields.damaged("owner")
        }
        var params: [(key: String, value: ParamValue)] = []
        for member in try fields.members("params") {
            if let text = member.value.string {
                params.append((member.key, ParamValue(text: text)))
            } else if let number = member.value[0]?.int64, let raw = UInt8(exactly: number),
                let kind = ParamValue.Kind(rawValue: raw), let text = member.value[1]?.string
            {
                params.append((member.key, ParamValue(text: text, kind: kind)))
            } else {
                throw fields.damaged("params")
            }
        }
        var metrics: [ModelMetric] = []
        for value in try fields.list("metrics") {
            guard let metric = ModelMetric(value) else { throw fields.damaged("metrics") }
            metrics.append(metric)
        }
        self.init(
            card: card.id, id: card.key, project: card.project, experiment: ExperimentID(experiment),
            name: try fields.text("name"), type: try fields.text("type"),
            state: try fields.word("state", default: .pending), stateMessage: try fields.text("message"),
            sourceRun: try fields.text("run"), params: Pairs(unique: params), tags: try fields.tags(),
            metrics: metrics, life: card.life, created: card.created, updated: card.updated)
    }
}

extension ModelMetric {
    /// `[key, value, step, µs, run, dataset, digest]`, the texts at the end left out while they are empty.
    func write(to writer: inout JSONWriter) {
        writer.array { writer in
            writer.string(key)
            writer.double(value)
            writer.int(step)
            writer.int(time.micros)
            var texts = [run, dataset, datasetDigest]
            while texts.last == "" { texts.removeLast() }
            for text in texts { writer.string(text) }
        }
    }

    init?(_ value: JSONValue) {
        guard let parts = value.array, parts.count >= 4, parts.count <= 7, let key = parts[0].string,
            let number = parts[1].double ?? parts[1].string.flatMap(ModelMetric.special), let step = parts[2].int64,
            let micros = parts[3].int64
        else { return nil }
        func text(_ place: Int) -> String { place < parts.count ? parts[place].string ?? "" : "" }
        self.init(
            key: key, value: number, step: step, time: Timestamp(micros: micros), run: text(4), dataset: text(5),
            datasetDigest: text(6))
    }

    private static func special(_ name: String) -> Double? {
        switch name {
        case "NaN": .nan
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: nil
        }
    }
}

extension Card {
    /// Reads the document as what its kind says it is; a kind that nobody here knows is taken as it is.
    package func checkDocument() throws(StorageError) {
        switch kind {
        case RegisteredModel.kind: _ = try RegisteredModel(self)
        case ModelVersion.kind: _ = try ModelVersion(self)
        case LoggedModel.kind: _ = try LoggedModel(self)
        case EvaluationDataset.kind: _ = try EvaluationDataset(self)
        case EvaluationRecord.kind: _ = try EvaluationRecord(self)
        case Trace.kind: _ = try Trace(self)
        case TraceSpans.kind: _ = try TraceSpans(self)
        case TraceLinks.kind: _ = try TraceLinks(self)
        case Webhook.kind: _ = try Webhook(self)
        case Issue.kind: _ = try Issue(self)
        case Scorer.kind: _ = try Scorer(self)
        default: break
        }
    }
}

/// A card's document, read with errors that name the card.
struct CardFields {
    private let card: Card
    private let object: JSONObject

    init(_ card: Card) throws(StorageError) {
        guard let object = (try? JSONValue(parsing: card.data))?.object else {
            throw StorageError.damagedCard(card, "is no JSON object")
        }
        (self.card, self.object) = (card, object)
    }

    func damaged(_ name: String) -> StorageError { .damagedCard(card, "holds no such thing as its “\(name)”") }

    func text(_ name: String) throws(StorageError) -> String {
        guard let value = object[name] else { return "" }
        guard let text = value.string else { throw damaged(name) }
        return text
    }

    func integer(_ name: String) throws(StorageError) -> Int64 {
        guard let value = object[name] else { return 0 }
        guard let number = value.int64 else { throw damaged(name) }
        return number
    }

    func word<Word: RawRepresentable<String>>(_ name: String, default word: Word) throws(StorageError) -> Word {
        guard let value = object[name] else { return word }
        guard let text = value.string, let found = Word(rawValue: text) else { throw damaged(name) }
        return found
    }

    func value(_ name: String) -> JSONValue? { object[name] }

    var members: [JSONObject.Member] { object.members }

    func texts(_ name: String) throws(StorageError) -> Pairs<String> {
        var texts: [(key: String, value: String)] = []
        for member in try members(name) {
            guard let text = member.value.string else { throw damaged(name) }
            texts.append((member.key, text))
        }
        return Pairs(unique: texts)
    }

    func members(_ name: String) throws(StorageError) -> [JSONObject.Member] {
        guard let value = object[name] else { return [] }
        guard let object = value.object else { throw damaged(name) }
        return object.members
    }

    func list(_ name: String) throws(StorageError) -> [JSONValue] {
        guard let value = object[name] else { return [] }
        guard let list = value.array else { throw damaged(name) }
        return list
    }

    func tags() throws(StorageError) -> Pairs<TagValue> {
        var tags: [(key: String, value: TagValue)] = []
        for member in try members("tags") {
            guard member.value.isNull || member.value.string != nil else { throw damaged("tags") }
            tags.append((member.key, member.value.string))
        }
        return Pairs(unique: tags)
    }
}

extension JSONWriter {
    /// A text, unless it is empty.
    mutating func some(_ key: StaticString, _ text: String) {
        if !text.isEmpty { member(key, text) }
    }

    mutating func texts(_ key: StaticString, _ texts: Pairs<String>) {
        guard !texts.isEmpty else { return }
        object(key) { writer in
            for (key, value) in texts.entries { writer.member(dynamic: key, value) }
        }
    }

    fileprivate mutating func tags(_ tags: Pairs<TagValue>) {
        guard !tags.isEmpty else { return }
        object("tags") { writer in
            for (key, value) in tags.entries { writer.member(dynamic: key, value) }
        }
    }
}

extension StorageError {
    fileprivate static func damagedCard(_ card: Card, _ what: String) -> StorageError {
        StorageError(
            .damaged, "The card \(card.id) (\(card.kind) “\(card.key)”) \(what).",
            remedy: "Run `martlet fsck` to see what is hurt; `martlet restore` brings back a backup.")
    }
}
