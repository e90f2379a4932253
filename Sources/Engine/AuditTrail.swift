import MartletArtifacts
package import MartletDomain
import MartletJSON
import MartletStorage
import Synchronization

/// Who changed what, written in the transaction that changed it.
///
/// An edit is an entry; points are one entry for each run, writer and minute, at the first batch of the minute, and so
/// are the traces of an experiment. Each entry's hash covers the one before it in its project, so that a line that was
/// changed or cut out shows.
final class AuditTrail: Sendable {
    /// The minute in which points of a run by a writer were last put down. Bounded: a forgotten one costs one entry.
    private let pulses = Mutex<[String: Int64]>([:])

    func record(
        _ changes: [Change], by caller: Caller, in tx: any StoreTransaction, at now: Timestamp
    ) throws(Refusal) {
        let minute = now.micros / 60_000_000
        for change in changes {
            if AuditTrail.isStream(change.action) {
                let pulse = "\(subject(of: change)) \(caller.principal)"
                let isNew = pulses.withLock { pulses in
                    if pulses[pulse] == minute { return false }
                    if pulses.count > 100_000 { pulses.removeAll(keepingCapacity: true) }
                    pulses[pulse] = minute
                    return true
                }
                guard isNew else { continue }
            }
            try append(change, by: caller, in: tx, at: now)
        }
    }

    private static func isStream(_ action: String) -> Bool {
        ["points.log", "rich.log", "traces.log", "spans.log"].contains(action)
    }

    private func append(
        _ change: Change, by caller: Caller, in tx: any StoreTransaction, at now: Timestamp
    ) throws(Refusal) {
        let previous = try tx.audit(change.project, before: nil, limit: 1).first?.hash
        var entry = AuditEntry(
            number: 0, project: change.project, at: now, who: caller.principal, via: caller.via,
            request: caller.requestID, action: change.action, subject: subject(of: change),
            detail: detail(of: change), hash: SHA256.digest(of: ""))
        entry.hash = AuditTrail.hash(of: entry, after: previous)
        try tx.appendAudit(entry)
    }

    static func hash(of entry: AuditEntry, after previous: Digest?) -> Digest {
        SHA256.digest(
            of: [
                previous?.text ?? "", "\(entry.project)", "\(entry.at.micros)", entry.who, entry.via, entry.request,
                entry.action, entry.subject, entry.detail,
            ].joined(separator: "\u{1F}"))
    }

    private func subject(of change: Change) -> String {
        switch change.subject {
        case .project(let id): "project/\(id)"
        case .experiment(let id): "experiment/\(id)"
        case .run(_, let id): "run/\(id)"
        case .user(let name): "user/\(name)"
        case .model(let name): "model/\(name)"
        case .modelVersion(let name, let version): "model/\(name)/\(version)"
        case .loggedModel(let id): "logged-model/\(id)"
        case .webhook(let id): "webhook/\(id)"
        case .store: "store"
        }
    }

    private func detail(of change: Change) -> String {
        var pairs: [(String, JSONValue)] = []
        func object(_ entries: [(String, String)]) -> JSONValue {
            var seen: Set<String> = []
            var kept = JSONObject()
            for (key, value) in entries where seen.insert(key).inserted {
                kept[key] = .string(String(value.prefix(1000)))
            }
            return .object(kept)
        }
        if !change.before.isEmpty { pairs.append(("before", object(change.before))) }
        if !change.after.isEmpty { pairs.append(("after", object(change.after))) }
        if change.count != 1 { pairs.append(("count", .int(Int64(change.count)))) }
        var whole = JSONObject()
        for (key, value) in pairs { whole[key] = value }
        var writer = JSONWriter()
        writer.value(JSONValue.object(whole))
        return writer.text
    }
}

extension Engine {
    /// Entries whose hash does not follow from the one before; empty when the trail is whole.
    package func brokenAuditEntries(in project: ProjectID) throws(Refusal) -> [Int64] {
        try read { (reader: any StoreReader) throws(Refusal) in
            var entries: [AuditEntry] = []
            var before: Int64?
            while true {
                let page = try reader.audit(project, before: before, limit: 1000)
                entries += page
                guard page.count == 1000, let last = page.last else { break }
                before = last.number
            }
            var broken: [Int64] = []
            var previous: Digest?
            for entry in entries.reversed() {
                if AuditTrail.hash(of: entry, after: previous) != entry.hash { broken.append(entry.number) }
                previous = entry.hash
            }
            return broken
        }
    }
}
