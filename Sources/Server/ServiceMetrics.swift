import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletObservability
import MartletStorage
import Synchronization

/// `/metrics`: what the store holds and what the server does, in Prometheus' text format.
final class ServiceMetrics: Sendable {
    private let engine: Engine
    private let blobs: any BlobStore
    private let registry: Metrics
    /// Counting files walks folders; done at most every 15 seconds.
    private let usage = Mutex<(value: BlobUsage, until: Int64)>((BlobUsage(), 0))

    init(engine: Engine, blobs: any BlobStore, registry: Metrics) {
        (self.engine, self.blobs, self.registry) = (engine, blobs, registry)
    }

    func plan(_ request: Request) -> Plan? {
        guard request.segments == ["metrics"], request.method == .get || request.method == .head else { return nil }
        return .collect(limit: 0, on: .slow) { [self] _, _, responder in
            do throws(Refusal) {
                responder.respond(Response(.ok, ContentType.prometheus, try counts() + registry.render()))
            } catch {
                responder.respond(
                    HTTPError(.unavailable, error.code.word, error.message, remedy: error.remedy))
            }
        }
    }

    private func counts() throws(Refusal) -> [UInt8] {
        var text = PrometheusText()
        try engine.read { (reader: any StoreReader) throws(Refusal) in
            text.family("martlet_experiments", "Experiments by project, team and life.")
            text.family("martlet_runs", "Runs by project and state.")
            for project in try reader.projects() {
                let experiments = try reader.experiments(in: project.id)
                for life in [Life.active, .deleted] {
                    let count = experiments.filter { (life == .active) == ($0.life == .active) }.count
                    text.sample(
                        "martlet_experiments", Double(count),
                        [
                            ("project", project.slug), ("team", project.team),
                            ("life", life == .active ? "active" : "deleted"),
                        ])
                }
                var states: [RunState: Int] = [:]
                for experiment in experiments {
                    states.merge(try reader.runCounts(in: experiment.id)) { $0 + $1 }
                }
                for state in RunState.allCases {
                    text.sample(
                        "martlet_runs", Double(states[state] ?? 0), [("project", project.slug), ("state", state.word)])
                }
                let ended = RunState.allCases.filter(\.isEnded).reduce(0) { $0 + (states[$1] ?? 0) }
                if ended > 0 {
                    text.family("martlet_run_success_ratio", "Runs that finished, of those that ended.")
                    text.sample(
                        "martlet_run_success_ratio", Double(states[.finished] ?? 0) / Double(ended),
                        [("project", project.slug)])
                }
            }
            let sizes = try reader.sizes()
            text.family("martlet_store_bytes", "What the database's files take on disk.")
            text.sample("martlet_store_bytes", Double(sizes.disk))
            text.family("martlet_journal_points", "Points that wait to be compacted.")
            text.sample("martlet_journal_points", Double(sizes.journalPoints))
        }
        let usage = try blobUsage()
        text.family("martlet_artifact_files", "Files that artifacts refer to, each content once.")
        text.sample("martlet_artifact_files", Double(usage.files))
        text.family("martlet_artifact_bytes", "What those files take on disk.")
        text.sample("martlet_artifact_bytes", Double(usage.bytesOnDisk))
        text.family("martlet_followers", "Streams and long polls that follow changes.")
        text.sample("martlet_followers", Double(engine.feed.followerCount))
        return text.bytes
    }

    private func blobUsage() throws(Refusal) -> BlobUsage {
        let now = engine.clock.monotonic
        let known = usage.withLock { $0.until > now ? $0.value : nil }
        if let known { return known }
        let fresh = try blobs.usage()
        usage.withLock { $0 = (fresh, now + 15_000_000) }
        return fresh
    }
}

/// Lines of Prometheus' text format, a family's samples together.
private struct PrometheusText {
    private var order: [String] = []
    private var families: [String: [String]] = [:]

    mutating func family(_ name: String, _ help: String) {
        guard families[name] == nil else { return }
        order.append(name)
        families[name] = ["# HELP \(name) \(help)", "# TYPE \(name) gauge"]
    }

    mutating func sample(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        let text = labels.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
        families[name]?.append("\(name)\(labels.isEmpty ? "" : "{\(text)}") \(value)")
    }

    var bytes: [UInt8] { Array((order.flatMap { families[$0] ?? [] }.joined(separator: "\n") + "\n").utf8) }

    private func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.append(character)
            }
        }
        return out
    }
}
