import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletJSON
import MartletStorage
import MartletStorageSQLite

extension World {
    var fsck: Command {
        folderCommand(
            "fsck", "Check that a store is whole",
            discussion: """
                Looks at the database's structure, every document and reference, at whether each artifact's bytes are \
                there, and at the audit trail. Repairs nothing. Ends with 1 when something is wrong; when nothing is, logbooks \
                that were adopted before it may be deleted when their days are over.
                """,
            options: [
                .flag("read", "Read every artifact and compare its SHA-256; takes as long as the disk needs"),
                Shared.json,
            ], examples: [Example("martlet fsck"), Example("martlet fsck --uri /srv/martlet --read")]
        ) { store, parsed, terminal in
            let adoptions = try store.adoptions()
            let check = try store.store.fsck()
            var findings = check.findings.map { "\($0)" }
            let hidden = check.count - check.findings.count
            var canHeal = false
            let inspection = BlobInspection(blobs: store.blobs, records: store.records)
            let usage = try store.blobs.usage()
            let progress = Progress(
                "Artifacts", total: Int64(usage.files), unit: .count("files"), terminal: terminal,
                isQuiet: parsed.isOn("quiet"), seconds: seconds)
            let files = try inspection.run(now: now(), reading: parsed.isOn("read")) { found in
                findings.append(words(for: found) + store.uses(of: found))
                if found.isHealedByUpload { canHeal = true }
            }
            progress.finish(Int64(files))
            for project in try store.engine.read({ reader throws(Refusal) in try reader.projects() }) {
                for entry in try store.engine.brokenAuditEntries(in: project.id) {
                    findings.append("audit \(entry): It does not follow from the entry before it (\(project.slug)).")
                }
            }
            if findings.isEmpty { store.remember(.fsck, adoptions: adoptions, terminal) }
            if parsed.isOn("json") {
                var writer = JSONWriter(pretty: true)
                writer.value(
                    [
                        "store": .string(store.path), "ok": .bool(findings.isEmpty),
                        "findings": .array(findings.map { .string($0) }), "artifacts": .int(Int64(files)),
                    ] as JSONValue)
                writer.endLine()
                terminal.write(writer.text, to: .output)
                return findings.isEmpty ? .good : .no
            }
            for finding in findings { terminal.line(Escape.text(finding)) }
            if hidden > 0 { terminal.line("(+\(NumberText.grouped(hidden)) of the same kinds)") }
            if canHeal {
                terminal.line(
                    "To heal an artifact, upload the same file again, to any run; or copy its file from a backup's artifacts.",
                    to: .error)
            }
            let what = "\(store.path): \(NumberText.grouped(files)) artifacts\(parsed.isOn("read") ? " read" : "")"
            terminal.line(
                findings.isEmpty ? "\(what), no fault." : "\(what), \(findings.count + hidden) faults.", to: .error)
            return findings.isEmpty ? .good : .no
        }
    }

    private func words(for finding: BlobInspection.Finding) -> String {
        switch finding {
        case .missing(let blob): "artifact \(blob.digest): Its bytes are gone."
        case .unknown(let blob):
            "artifact \(blob.digest): No row knows these \(NumberText.bytes(blob.size)); they are removed in time."
        case .wrongSize(let blob, let found):
            "artifact \(blob.digest): It has \(found) bytes and should have \(blob.size)."
        case .damaged(let blob, let found): "artifact \(blob.digest): Its bytes are others now (\(found))."
        case .unreadable(let blob, let error): "artifact \(blob.digest): \(error.message)"
        }
    }
}

extension BlobInspection.Finding {
    /// The row whose bytes are not what they should be; nil where bytes have no row.
    fileprivate var row: Blob? {
        switch self {
        case .missing(let blob), .wrongSize(let blob, _), .damaged(let blob, _), .unreadable(let blob, _): blob
        case .unknown: nil
        }
    }

    fileprivate var isHealedByUpload: Bool { row != nil }
}

extension FolderStore {
    /// Which artifacts of which runs have these bytes, so that somebody knows what to look for.
    fileprivate func uses(of finding: BlobInspection.Finding) -> String {
        guard let row = finding.row else { return "" }
        let names = try? engine.read { (reader: any StoreReader) throws(Refusal) in
            var names: [String] = []
            for artifact in try reader.artifacts(holding: row.digest, limit: 4) {
                guard let run = try reader.run(artifact.run) else { continue }
                let home = try reader.experiment(run.experiment)?.name ?? "\(run.experiment)"
                names.append("“\(artifact.path)” of \(home)/\(run.shortID)")
            }
            return names
        }
        guard let names, !names.isEmpty else { return "" }
        return " It is \(names.prefix(3).joined(separator: ", "))\(names.count > 3 ? " and others" : "")."
    }
}
