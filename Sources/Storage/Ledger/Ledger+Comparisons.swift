package import MartletDomain
import MartletJSON

// Comparisons that were kept. What was seen is JSON that only its face understands; it lies on a card of its own for each
// version, so that a list of comparisons reads none of it.
extension Ledger {
    package func keepComparison(_ draft: KeptComparison, data: String, who: String) throws(StorageError)
        -> KeptComparison
    {
        guard let home = try tx.project(draft.project), home.life == .active else {
            throw .projectNotFound("\(draft.project)")
        }
        guard draft.name.contains(where: { !$0.isWhitespace }) else {
            throw StorageError(
                .invalid, "The comparison has no name.", remedy: "Send a name, or leave it out.", field: "name")
        }
        try limits.checkText(draft.name, limits.nameBytes, "comparison's name", setting: "--limit-name-bytes")
        // One more than the limit would be found just as well by counting all; this stops in time.
        guard
            try tx.cards(
                KeptComparison.cardKind, in: home.id, owner: nil, after: nil, limit: KeptComparison.perProjectMax
            )
            .count < KeptComparison.perProjectMax
        else {
            throw StorageError(
                .limit, "The project keeps \(KeptComparison.perProjectMax) comparisons already.",
                remedy: "Delete some with DELETE /api/v1/comparisons/{id} first.", field: "project")
        }
        var comparison = draft
        (comparison.created, comparison.updated, comparison.versions) = (now, now, [])
        comparison.card = try tx.insert(comparison.asCard).id
        try add(data, to: &comparison, who: who)
        note(
            "comparison.keep", .project(home.id), in: home.id,
            after: [("comparison", comparison.id), ("name", comparison.name)])
        return comparison
    }

    /// What is seen now becomes the newest version; the earlier ones stay.
    package func refreshComparison(_ id: String, data: String, who: String) throws(StorageError) -> KeptComparison {
        guard var comparison = try tx.comparison(id) else { throw .comparisonNotFound(id) }
        try add(data, to: &comparison, who: who)
        note(
            "comparison.refresh", .project(comparison.project), in: comparison.project,
            after: [("comparison", id), ("version", "\(comparison.versions.count)")])
        return comparison
    }

    package func deleteComparison(_ id: String) throws(StorageError) {
        guard let comparison = try tx.comparison(id) else { throw .comparisonNotFound(id) }
        try tx.removeCards(in: comparison.project, owner: Card.owner(card: comparison.card))
        try tx.removeCard(comparison.card)
        note(
            "comparison.delete", .project(comparison.project), in: comparison.project,
            before: [("comparison", id), ("name", comparison.name)])
    }

    private func add(_ data: String, to comparison: inout KeptComparison, who: String) throws(StorageError) {
        let bytes = data.utf8.count
        guard bytes <= KeptComparison.bytesMax else {
            throw StorageError(
                .limit, "What is compared takes \(bytes) bytes; \(KeptComparison.bytesMax) can be kept.",
                remedy: "Compare fewer runs, or name fewer metrics.", field: "metrics")
        }
        guard comparison.versions.count < KeptComparison.versionsMax else {
            throw StorageError(
                .limit, "The comparison has \(KeptComparison.versionsMax) versions, as many as are kept.",
                remedy: "Keep the comparison anew; this one stays as it is.", field: "version")
        }
        let number = comparison.versions.count + 1
        comparison.versions.append(.init(number: number, made: now, by: who, bytes: bytes))
        comparison.updated = max(now, comparison.updated)
        try tx.update(comparison.asCard)
        _ = try tx.insert(
            Card(
                kind: KeptComparison.versionKind, project: comparison.project, owner: Card.owner(card: comparison.card),
                key: "\(number)", created: now, updated: now, data: data))
    }
}

extension StoreReader {
    package func comparison(_ id: String) throws(StorageError) -> KeptComparison? {
        guard let card = try cards(KeptComparison.cardKind, key: id).first else { return nil }
        return try KeptComparison(card)
    }

    /// In the order in which they were kept.
    package func comparisons(in project: ProjectID?) throws(StorageError) -> [KeptComparison] {
        try cards(KeptComparison.cardKind, in: project, owner: nil, after: nil, limit: .max).map {
            card throws(StorageError) in
            try KeptComparison(card)
        }
    }

    /// What one version saw, as JSON; nil where there is no such version.
    package func data(of comparison: KeptComparison, version: Int) throws(StorageError) -> String? {
        try card(
            KeptComparison.versionKind, in: comparison.project, owner: Card.owner(card: comparison.card),
            key: "\(version)"
        )?.data
    }
}

extension StorageError {
    package static func comparisonNotFound(_ id: String) -> StorageError {
        StorageError(
            .notFound, "There is no comparison “\(id.prefix(60))”.",
            remedy: "List them with GET /api/v1/comparisons.", field: "comparison")
    }
}

// How comparisons lie on cards.
extension KeptComparison {
    static let cardKind = "comparison"
    static let versionKind = "comparison-version"

    var asCard: Card {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("name", name)
            writer.member("kind", kind.rawValue)
            writer.member("view", view.rawValue)
            writer.member("members", members)
            if !metrics.isEmpty { writer.member("metrics", metrics) }
            writer.array("projects") { writer in for project in projects { writer.int(project.raw) } }
            writer.array("versions") { writer in
                for version in versions {
                    writer.array { writer in
                        writer.int(version.made.micros)
                        writer.int(Int64(version.bytes))
                        writer.string(version.by)
                    }
                }
            }
        }
        return Card(
            id: card, kind: Self.cardKind, project: project, key: id, created: created, updated: updated,
            data: writer.text)
    }

    init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        var versions: [Version] = []
        for (place, value) in try fields.list("versions").enumerated() {
            guard let made = value[0]?.int64, let bytes = value[1]?.int64, let by = value[2]?.string else {
                throw fields.damaged("versions")
            }
            versions.append(
                Version(number: place + 1, made: Timestamp(micros: made), by: by, bytes: Int(bytes)))
        }
        self.init(
            card: card.id, id: card.key, project: card.project,
            projects: try fields.list("projects").compactMap(\.int64).map { ProjectID($0) },
            name: try fields.text("name"), kind: try fields.word("kind", default: .runs),
            view: try fields.word("view", default: .table), members: try fields.list("members").compactMap(\.string),
            metrics: try fields.list("metrics").compactMap(\.string), versions: versions, created: card.created,
            updated: card.updated)
    }
}
