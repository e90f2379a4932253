package import MartletDomain
import MartletJSON

// Scorers: programs that judge traces, kept as their clients wrote them down.
extension Ledger {
    private static let cardBytesMax = 8 << 20

    /// A new version; with it the scorer, if there is none of that name. `id` is that of a new one.
    package func registerScorer(
        _ name: String, text: String, in experiment: ExperimentID, id: String
    ) throws(StorageError) -> Scorer {
        guard let home = try tx.experiment(experiment), home.life == .active else {
            throw .experimentNotFound("\(experiment)")
        }
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw StorageError(.invalid, "The scorer has no name.", remedy: "Send a name.", field: "name")
        }
        try limits.checkText(name, limits.nameBytes, "scorer's name", setting: "--limit-name-bytes")
        try limits.checkText(text, limits.noteBytes, "scorer", setting: "--limit-note-bytes")
        let known = try tx.scorer(name, in: home)
        var scorer =
            known
            ?? Scorer(id: id, project: home.project, experiment: home.id, name: name, created: now, updated: now)
        scorer.lastNumber += 1
        scorer.versions.append(Scorer.Version(number: scorer.lastNumber, text: text, created: now))
        scorer.updated = max(now, scorer.updated)
        let card = scorer.asCard
        guard card.data.utf8.count <= Ledger.cardBytesMax else {
            throw StorageError(
                .limit, "The versions of “\(name.prefix(60))” would take more than \(Ledger.cardBytesMax) bytes.",
                remedy: "Delete old ones first.", field: "serialized_scorer")
        }
        if known == nil { scorer.card = try tx.insert(card).id } else { try tx.update(card) }
        note(
            "scorer.register", .experiment(home.id), in: home.project,
            after: [("scorer", name), ("version", "\(scorer.lastNumber)")])
        return scorer
    }

    /// One version, or all of it; with its last version a scorer goes.
    package func deleteScorer(
        _ name: String, version: Int?, in experiment: Experiment
    ) throws(StorageError) {
        guard var scorer = try tx.scorer(name, in: experiment) else { throw .scorerNotFound(name) }
        let before = scorer.versions.count
        scorer.versions.removeAll { version == nil || $0.number == version }
        guard scorer.versions.count < before else { throw .scorerNotFound("\(name)/\(version ?? 0)") }
        if scorer.versions.isEmpty {
            try tx.removeCard(scorer.card)
        } else {
            scorer.updated = max(now, scorer.updated)
            try tx.update(scorer.asCard)
        }
        note(
            "scorer.delete", .experiment(experiment.id), in: experiment.project,
            before: [("scorer", name)] + (version.map { [("version", "\($0)")] } ?? []))
    }
}

extension StoreReader {
    package func scorer(_ name: String, in experiment: Experiment) throws(StorageError) -> Scorer? {
        let owner = Card.owner(experiment.id)
        guard let card = try card(Scorer.kind, in: experiment.project, owner: owner, key: name) else { return nil }
        return try Scorer(card)
    }

    /// In order of name.
    package func scorers(in experiment: Experiment) throws(StorageError) -> [Scorer] {
        let owner = Card.owner(experiment.id)
        var scorers: [Scorer] = []
        for card in try cards(Scorer.kind, in: experiment.project, owner: owner, after: nil, limit: .max) {
            scorers.append(try Scorer(card))
        }
        return scorers.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}

extension StorageError {
    package static func scorerNotFound(_ name: String) -> StorageError {
        StorageError(
            .notFound, "There is no scorer “\(name.prefix(60))”.", remedy: "List the experiment's scorers.",
            field: "name")
    }
}

// How scorers lie on cards.
extension Scorer {
    package static let kind = "scorer"

    var asCard: Card {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("id", id)
            writer.member("last", lastNumber)
            writer.array("versions") { writer in
                for version in versions {
                    writer.array { writer in
                        writer.int(Int64(version.number))
                        writer.int(version.created.micros)
                        writer.string(version.text)
                    }
                }
            }
        }
        return Card(
            id: card, kind: Self.kind, project: project, owner: Card.owner(experiment), key: name, created: created,
            updated: updated, data: writer.text)
    }

    package init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        guard card.owner.hasPrefix("experiment/"), let experiment = Int64(card.owner.dropFirst(11)) else {
            throw fields.damaged("owner")
        }
        var versions: [Version] = []
        for value in try fields.list("versions") {
            guard let number = value[0]?.int64, let micros = value[1]?.int64, let text = value[2]?.string else {
                throw fields.damaged("versions")
            }
            versions.append(Version(number: Int(number), text: text, created: Timestamp(micros: micros)))
        }
        self.init(
            card: card.id, id: try fields.text("id"), project: card.project, experiment: ExperimentID(experiment),
            name: card.key, versions: versions, lastNumber: Int(try fields.integer("last")), created: card.created,
            updated: card.updated)
    }
}
