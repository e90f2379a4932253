import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Issues that were found in traces.
extension MLflowAPI {
    static let issueEndpoints: [Endpoint] = [
        .change(.post, "3.0/mlflow/issues") { call, message throws(Refusal) in try createIssue(call, message) },
        .read(.post, "3.0/mlflow/issues/search") { call, message throws(Refusal) in try searchIssues(call, message) },
        .read(.get, "3.0/mlflow/issues/{issue_id}") { call, _ throws(Refusal) in
            let caller = try call.caller()
            return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                let issue = try reader.issue(mlflow: call["issue_id"], call)
                try caller.require(.read, on: issue.project)
                return .json(try body(of: issue))
            }
        },
        .change(.patch, "3.0/mlflow/issues/{issue_id}") { call, message throws(Refusal) in
            let id = call["issue_id"]
            var update = IssueUpdate()
            update.name = try message.filled("name")
            update.description = try message.filled("description")
            update.state = try message.issueState()
            update.severity = try message.issueSeverity()
            let wanted = update
            try call.change { ledger, caller throws(Refusal) in
                let issue = try ledger.tx.issue(mlflow: id, call)
                try caller.require(.write, on: issue.project)
                return try body(of: try ledger.updateIssue(id, wanted))
            }
        },
    ]

    private static func createIssue(_ call: Call, _ message: Message) throws(Refusal) {
        let name = try message.required("name")
        let description = try message.required("description")
        let home = try message.required("experiment_id")
        let (state, severity) = (try message.issueState() ?? .pending, try message.issueSeverity())
        let (causes, categories) = (try message.texts("root_causes"), try message.texts("categories"))
        let (run, creator) = (try message.text("source_run_id") ?? "", try message.text("created_by") ?? "")
        try call.change { ledger, caller throws(Refusal) in
            let experiment = try ledger.tx.experiment(mlflow: home, call)
            guard experiment.life == .active else { throw .noExperiment(home) }
            try caller.require(.write, on: experiment.project)
            var draft = IssueDraft(experiment: experiment.id, name: name, description: description)
            (draft.state, draft.severity) = (state, severity)
            (draft.rootCauses, draft.categories) = (causes, categories)
            (draft.sourceRun, draft.createdBy) = (run, creator)
            return try body(of: try ledger.createIssue(draft))
        }
    }

    /// The worst first, then by how many traces show it where that is asked for, then the newest.
    private static func searchIssues(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let filter = try IssueFilter(try message.text("filter_string") ?? "")
        let limit = try message.maxResults(standard: 100, atMost: 50_000)
        let offset = try PageOffset.read(try message.text("page_token"))
        let isCounting = try message.flag("include_trace_count") ?? false
        let home = try message.text("experiment_id") ?? ""
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try call.project(reader)
            try caller.require(.read, on: project.id)
            var experiment: ExperimentID?
            if !home.isEmpty {
                guard let number = Int64(home) else { throw .noExperiment(home) }
                experiment = ExperimentID(number)
            }
            var counts: [String: Int] = [:]
            let found = try reader.issues(in: project.id, experiment).filter(filter.takes)
            if isCounting { counts = try traceCounts(of: found, call, reader) }
            func rank(_ issue: Issue) -> [Int64] {
                let severity = issue.severity.flatMap { Issue.Severity.allCases.firstIndex(of: $0) } ?? -1
                return [Int64(severity), Int64(counts[issue.id] ?? 0), issue.created.millis]
            }
            let sorted = found.map { (issue: $0, rank: rank($0)) }.sorted { a, b in
                a.rank == b.rank ? a.issue.id > b.issue.id : b.rank.lexicographicallyPrecedes(a.rank)
            }
            let page = PageOffset.page(sorted, from: offset, limit: limit)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        if !page.rows.isEmpty {
                            writer.array("issues") { writer in
                                for row in page.rows {
                                    writer.issue(row.issue, traces: isCounting ? counts[row.issue.id] ?? 0 : nil)
                                }
                            }
                        }
                        // Said at the end too, as MLflow's server does.
                        writer.member("next_page_token", page.next ?? "")
                    }
                })
        }
    }

    private static func traceCounts(
        of issues: [Issue], _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> [String: Int] {
        let ids = Set(issues.map(\.id))
        var counts: [String: Int] = [:]
        for experiment in Set(issues.map(\.experiment)) {
            for trace in try call.engine.traceFacts(in: experiment, reader) {
                let named = trace.assessments.filter { $0.kind == .issue && ids.contains($0.name) }
                for id in Set(named.map(\.name)) { counts[id, default: 0] += 1 }
            }
        }
        return counts
    }

    private static func body(of issue: Issue) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.key("issue")
                writer.issue(issue, traces: nil)
            }
        }
    }
}

/// `status = 'resolved' AND source_run_id != '…'`.
private struct IssueFilter {
    private var conditions: [(isRun: Bool, isEqual: Bool, text: String)] = []

    init(_ filter: String) throws(Refusal) {
        for clause in try ClauseParser.clauses(filter) {
            guard clause.key == "status" || clause.key == "source_run_id" else {
                throw .mlflow(
                    "Invalid filter field '\(clause.key)'. Supported fields: {'status', 'source_run_id'}")
            }
            guard clause.comparator == .equal || clause.comparator == .notEqual else {
                throw .mlflow("Invalid comparator '\(clause.comparator.rawValue)'. Supported comparators: {'=', '!='}")
            }
            guard case .text(let text, _) = clause.value else { _ = try clause.textCondition(); continue }
            conditions.append((clause.key == "source_run_id", clause.comparator == .equal, text))
        }
    }

    /// What has no run is neither that of a run nor of another one.
    func takes(_ issue: Issue) -> Bool {
        conditions.allSatisfy { condition in
            if condition.isRun && issue.sourceRun.isEmpty { return false }
            let value = condition.isRun ? issue.sourceRun : issue.state.rawValue
            return (value == condition.text) == condition.isEqual
        }
    }
}

extension StoreReader {
    fileprivate func issue(mlflow id: String, _ call: Call) throws(Refusal) -> Issue {
        guard let issue = try issue(id), issue.project == (try call.project(self).id) else {
            throw .mlflow("Issue with ID '\(id.prefix(100))' not found", .notFound)
        }
        return issue
    }
}

extension Message {
    /// Nil where it is empty too.
    fileprivate func filled(_ name: String) throws(Refusal) -> String? {
        guard let text = try text(name), !text.isEmpty else { return nil }
        return text
    }

    fileprivate func issueState() throws(Refusal) -> Issue.State? {
        try issueWord("status", among: Issue.State.allCases)
    }

    fileprivate func issueSeverity() throws(Refusal) -> Issue.Severity? {
        try issueWord("severity", among: Issue.Severity.allCases)
    }

    private func issueWord<Word: RawRepresentable<String>>(
        _ field: String, among words: [Word]
    ) throws(Refusal) -> Word? {
        guard let text = try filled(field) else { return nil }
        if let word = Word(rawValue: text) { return word }
        throw .wrongValue(
            field, .string(text), "Valid values are \(words.map(\.rawValue).joined(separator: ", ")).")
    }
}

extension JSONWriter {
    fileprivate mutating func issue(_ issue: Issue, traces: Int?) {
        object { writer in
            writer.member("issue_id", issue.id)
            writer.member("experiment_id", "\(issue.experiment)")
            writer.member("name", issue.name)
            writer.member("description", issue.description)
            writer.member("status", issue.state.rawValue)
            if let severity = issue.severity { writer.member("severity", severity.rawValue) }
            if !issue.rootCauses.isEmpty { writer.member("root_causes", issue.rootCauses) }
            if !issue.sourceRun.isEmpty { writer.member("source_run_id", issue.sourceRun) }
            writer.member("created_timestamp", issue.created.millis)
            writer.member("last_updated_timestamp", issue.updated.millis)
            if !issue.createdBy.isEmpty { writer.member("created_by", issue.createdBy) }
            if !issue.categories.isEmpty { writer.member("categories", issue.categories) }
            if let traces { writer.member("trace_count", traces) }
        }
    }
}
