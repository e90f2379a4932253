import MartletDomain
import MartletJSON
import MartletStorage

/// Images and tables, which MLflow's clients log as files with names that say what they are: here they are points of a
/// series as well, so that they are shown beside the curves.
enum LoggedMedia {
    static let tableTag = "mlflow.loggedArtifacts"

    /// What a file of a run means, in the transaction that adds it.
    static func keep(_ artifact: Artifact, _ ledger: Ledger) throws(Refusal) {
        if let image = Image(path: artifact.path) {
            try keep(
                artifact, RichPoint(key: image.key, step: image.step, time: image.time, kind: "image", data: ""), ledger
            )
        }
        let listed = try ledger.tx.attributes(of: artifact.run).tags[tableTag] ?? nil
        if let listed, tables(in: listed).contains(artifact.path) { try keepTable(artifact, ledger) }
    }

    /// The tag that lists tables comes after their files.
    static func keepTables(listedIn tag: String, of run: Run, _ ledger: Ledger) throws(Refusal) {
        for path in tables(in: tag) {
            if let artifact = try ledger.tx.artifact(of: run.key, path: path) { try keepTable(artifact, ledger) }
        }
    }

    /// A table grows by being written again: each version is a point, the same version only once.
    private static func keepTable(_ artifact: Artifact, _ ledger: Ledger) throws(Refusal) {
        let last = try ledger.tx.rich(artifact.run, key: artifact.path, from: .min, to: .max, limit: 1000).last
        let data = document(artifact)
        guard last?.data != data else { return }
        try keep(
            artifact, RichPoint(key: artifact.path, step: 0, time: artifact.at, kind: "table", data: data), ledger)
    }

    /// A point that the series cannot take is left out: the file is what was logged, and it is kept.
    private static func keep(_ artifact: Artifact, _ point: RichPoint, _ ledger: Ledger) throws(Refusal) {
        var point = point
        point.data = document(artifact)
        guard !point.key.isEmpty, point.key.utf8.count <= ledger.limits.keyBytes else { return }
        if let kind = try ledger.tx.richKind(of: artifact.run, key: point.key), kind != point.kind { return }
        try ledger.logRich([point], to: artifact.run)
    }

    private static func document(_ artifact: Artifact) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.object("v") { writer in writer.member("path", artifact.path) }
            writer.array("files") { writer in
                writer.object { writer in
                    writer.member("path", artifact.path)
                    writer.member("size_bytes", artifact.size)
                    if artifact.uri.isEmpty, let digest = artifact.digest {
                        writer.member("sha256", digest.text)
                    } else {
                        // No digest tells one version of a file elsewhere from the next.
                        writer.member("uri", artifact.uri)
                        writer.member("logged_at", artifact.at.iso)
                    }
                }
            }
        }
        return writer.text
    }

    private static func tables(in tag: String) -> Set<String> {
        let list = (try? JSONValue(parsing: tag))?.array ?? []
        return Set(list.compactMap { $0["type"]?.string == "table" ? $0["path"]?.string : nil })
    }

    /// `images/<key>+step+<n>+timestamp+<ms>+<uuid>.png`; older clients wrote `%` for `+` and `#` for `~`, which stands
    /// for a slash. The small copy beside it, `…+compressed.webp`, is not an image of its own.
    struct Image: Equatable {
        var key: String
        var step: Int64
        var time: Timestamp

        init?(path: String) {
            guard path.hasPrefix("images/"), let dot = path.lastIndex(of: "."),
                path[dot...] == ".png" || path[dot...] == ".webp"
            else { return nil }
            let name = path[..<dot].dropFirst(7)
            for mark in ["+", "%"] as [Character] {
                let parts = name.split(separator: mark, omittingEmptySubsequences: false)
                guard parts.count >= 6, parts.last != "compressed" else { continue }
                let tail = parts.suffix(5)
                let at = tail.startIndex
                guard tail[at] == "step", tail[at + 2] == "timestamp", let step = Int64(tail[at + 1]),
                    let millis = Int64(tail[at + 3]), millis >= 0, millis < 100_000_000_000_000
                else { continue }
                let key = parts.dropLast(5).joined(separator: String(mark))
                self.key = String(key.map { $0 == "~" || $0 == "#" ? "/" : $0 })
                (self.step, time) = (step, Timestamp(millis: millis))
                return
            }
            return nil
        }
    }
}
