package import MartletDomain
import MartletJSON

/// What is said of an issue when it is made.
package struct IssueDraft: Sendable {
    package var experiment: ExperimentID
    package var name: String
    package var description: String
    package var state = Issue.State.pending
    package var severity: Issue.Severity?
    package var rootCauses: [String] = []
    package var categories: [String] = []
    package var sourceRun = ""
    package var createdBy = ""
    package init(experiment: ExperimentID, name: String, description: String) {
        (self.experiment, self.name, self.description) = (experiment, name, description)
    }
}

/// What changes about one; nil leaves it as it is.
package struct IssueUpdate: Sendable {
    package var name: String?
    package var description: String?
    package var state: Issue.State?
    package var severity: Issue.Severity?
    package init() {}
}

// Issues: what goes wrong in traces.
extension Ledger {
    private static let wordsMax = 100

    package func createIssue(_ draft: IssueDraft) throws(StorageError) -> Issue {
        guard let home = try tx.experiment(draft.experiment), home.life == .active else {
            throw .experimentNotFound("\(draft.experiment)")
        }
        var issue = Issue(
            id: "iss-\(RunID.make())", project: home.project, experiment: home.id, name: draft.name,
            description: draft.description, state: draft.state, severity: draft.severity,
            rootCauses: draft.rootCauses, categories: draft.categories, sourceRun: draft.sourceRun,
            createdBy: draft.createdBy, created: now, updated: now)
        try check(issue)
        issue.card = try tx.insert(issue.asCard).id
        note(
            "issue.create", .experiment(home.id), in: home.project, after: [("issue", issue.id), ("name", issue.name)])
        return issue
    }

    package func updateIssue(_ id: String, _ update: IssueUpdate) throws(StorageError) -> Issue {
        guard var issue = try tx.issue(id) else { throw .issueNotFound(id) }
        let before = issue
        issue.name = update.name ?? issue.name
        issue.description = update.description ?? issue.description
        issue.state = update.state ?? issue.state
        issue.severity = update.severity ?? issue.severity
        guard issue != before else { return issue }
        try check(issue)
        issue.updated = max(now, issue.updated)
        try tx.update(issue.asCard)
        note(
            "issue.update", .experiment(issue.experiment), in: issue.project,
            before: [("issue", id), ("status", before.state.rawValue)],
            after: [("issue", id), ("status", issue.state.rawValue)])
        return issue
    }

    private func check(_ issue: Issue) throws(StorageError) {
        guard !issue.name.isEmpty else {
            throw StorageError(.invalid, "The issue has no name.", remedy: "Send a name.", field: "name")
        }
        try limits.checkText(issue.name, limits.nameBytes, "issue's name", setting: "--limit-name-bytes")
        try limits.checkText(issue.description, limits.noteBytes, "description", setting: "--limit-note-bytes")
        for text in [issue.sourceRun, issue.createdBy] + issue.rootCauses + issue.categories {
            try limits.checkText(text, limits.tagBytes, "text of an issue", setting: "--limit-tag-bytes")
        }
        try limits.checkCount(issue.rootCauses.count, Ledger.wordsMax, "root causes", of: issue.name)
        try limits.checkCount(issue.categories.count, Ledger.wordsMax, "categories", of: issue.name)
    }
}

extension StoreReader {
    package func issue(_ id: String) throws(StorageError) -> Issue? {
        guard let card = try cards(Issue.kind, key: id).first else { return nil }
        return try Issue(card)
    }

    /// Of one experiment, or of all in a project; in order of their making.
    package func issues(in project: ProjectID, _ experiment: ExperimentID? = nil) throws(StorageError) -> [Issue] {
        let owner = experiment.map { Card.owner($0) }
        return try cards(Issue.kind, in: project, owner: owner, after: nil, limit: .max).map {
            card throws(StorageError) in
            try Issue(card)
        }
    }
}

extension StorageError {
    package static func issueNotFound(_ id: String) -> StorageError {
        StorageError(
            .notFound, "There is no issue “\(id.prefix(60))”.", remedy: "Search the experiment's issues.",
            field: "issue_id")
    }
}

// How issues lie on cards.
extension Issue {
    package static let kind = "issue"

    var asCard: Card {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("name", name)
            writer.some("description", description)
            if state != .pending { writer.member("state", state.rawValue) }
            if let severity { writer.member("severity", severity.rawValue) }
            if !rootCauses.isEmpty { writer.member("causes", rootCauses) }
            if !categories.isEmpty { writer.member("categories", categories) }
            writer.some("run", sourceRun)
            writer.some("by", createdBy)
        }
        return Card(
            id: card, kind: Self.kind, project: project, owner: Card.owner(experiment), key: id, created: created,
            updated: updated, data: writer.text)
    }

    package init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        guard card.owner.hasPrefix("experiment/"), let experiment = Int64(card.owner.dropFirst(11)) else {
            throw fields.damaged("owner")
        }
        func words(_ name: String) throws(StorageError) -> [String] { try fields.list(name).compactMap(\.string) }
        self.init(
            card: card.id, id: card.key, project: card.project, experiment: ExperimentID(experiment),
            name: try fields.text("name"), description: try fields.text("description"),
            state: try fields.word("state", default: .pending),
            severity: fields.value("severity")?.string.flatMap(Severity.init(rawValue:)),
            rootCauses: try words("causes"), categories: try words("categories"), sourceRun: try fields.text("run"),
            createdBy: try fields.text("by"), created: card.created, updated: card.updated)
    }
}
