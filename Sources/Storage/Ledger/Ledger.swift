package import MartletDomain

/// The rules of every change, written once over the verbs of a transaction, for every store and every front door.
///
/// A ledger lives as long as its transaction. It says what it changed in `changes`: the one list that feeds the
/// index, the change feed, webhooks and the audit trail.
package final class Ledger {
    package let tx: any StoreTransaction
    package let now: Timestamp
    package let limits: Limits
    package private(set) var changes: [Change] = []

    package init(_ tx: any StoreTransaction, now: Timestamp, limits: Limits = .standard) {
        (self.tx, self.now, self.limits) = (tx, now, limits)
    }

    /// For changes that are made outside of these rules, in the same transaction.
    package func record(
        _ action: String, _ subject: Change.Subject, in project: ProjectID, before: [(String, String)] = [],
        after: [(String, String)] = []
    ) {
        note(action, subject, in: project, before: before, after: after)
    }

    /// What happened at another time, written down now: times of making and changing are those of then.
    package func dated<Value>(
        _ then: Timestamp, _ body: (Ledger) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        let past = Ledger(tx, now: then, limits: limits)
        defer { changes += past.changes }
        return try body(past)
    }

    func note(
        _ action: String, _ subject: Change.Subject, in project: ProjectID, before: [(String, String)] = [],
        after: [(String, String)] = [], count: Int = 1
    ) {
        changes.append(
            Change(project: project, action: action, subject: subject, before: before, after: after, count: count))
    }
}

/// One thing that a transaction changed.
package struct Change: Sendable {
    package enum Subject: Sendable, Hashable {
        case project(ProjectID)
        case experiment(ExperimentID)
        case run(RunKey, RunID)
        case user(String)
        case model(String)
        case modelVersion(String, Int)
        case loggedModel(String)
        case webhook(String)
        case store
    }

    package var project: ProjectID
    /// `run.create`, `params.log`, `points.log` …
    package var action: String
    package var subject: Subject
    package var before: [(String, String)]
    package var after: [(String, String)]
    /// How many points, params or items.
    package var count: Int
}

/// What a store accepts for one run; each is a setting, and each refusal names limit and setting.
package struct Limits: Sendable {
    package var metricNames = 20_000
    package var params = 10_000
    package var tags = 1_000
    package var keyBytes = 250
    package var nameBytes = 500
    package var paramBytes = 64 * 1024
    package var tagBytes = 64 * 1024
    package var noteBytes = 1024 * 1024
    /// Of a tag in the registry, which may be larger than a run's.
    package var modelTagBytes = 100_000
    /// Of the address of a model's files.
    package var sourceBytes = 8 * 1024
    package var consoleBytes = 256 * 1024 * 1024

    package init() {}
    package static let standard = Limits()

    func check(_ count: Int, _ limit: Int, _ what: String, setting: String) throws(StorageError) {
        guard count > limit else { return }
        throw StorageError(
            .limit, "This run would have \(count) \(what); the limit is \(limit).",
            remedy: "Log fewer, or start the server with a higher \(setting).", field: what)
    }

    func checkKey(_ key: String, _ what: String) throws(StorageError) {
        guard !key.isEmpty else {
            throw StorageError(
                .invalid, "A \(what) has an empty key.", remedy: "Give every \(what) a name.", field: what)
        }
        guard key.utf8.count <= keyBytes else {
            throw StorageError(
                .limit, "The \(what) key “\(key.prefix(40))…” has \(key.utf8.count) bytes; the limit is \(keyBytes).",
                remedy: "Shorten the key, or start the server with a higher --limit-key-bytes.", field: what)
        }
        guard !key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw StorageError(
                .invalid, "A \(what) key holds a control character.",
                remedy: "Use printable characters in keys.", field: what)
        }
    }

    func checkText(_ text: String, _ limit: Int, _ what: String, setting: String) throws(StorageError) {
        guard text.utf8.count > limit else { return }
        throw StorageError(
            .limit, "The \(what) has \(text.utf8.count) bytes; the limit is \(limit).",
            remedy: "Store it as an artifact, or start the server with a higher \(setting).", field: what)
    }
}

extension StorageError {
    package static func projectNotFound(_ what: String) -> StorageError {
        StorageError(
            .notFound, "There is no project “\(what)”.",
            remedy: "List the projects with `martlet projects list` or GET /api/v1/projects.")
    }

    package static func experimentNotFound(_ what: String) -> StorageError {
        StorageError(
            .notFound, "There is no experiment “\(what)”.",
            remedy: "List the experiments with `martlet experiments list` or GET /api/v1/experiments.")
    }

    package static func runNotFound(_ what: String) -> StorageError {
        StorageError(
            .notFound, "There is no run “\(what)”.",
            remedy:
                "List an experiment's runs with `martlet runs list`; a deleted run comes back with `martlet runs restore`."
        )
    }
}
