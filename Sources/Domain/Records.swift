/// Where experiments that belong together live, and where rights are given.
package struct Project: Equatable, Sendable {
    package var id: ProjectID
    /// The name in addresses: lower-case letters, digits and dashes, unique in the store.
    package var slug: String
    package var title: String
    package var life: Life
    package var created: Timestamp
    package var updated: Timestamp
    package var description: String
    package var team: String
    package var tags: Pairs<TagValue>

    package init(
        id: ProjectID, slug: String, title: String, life: Life = .active, created: Timestamp, updated: Timestamp,
        description: String = "", team: String = "", tags: Pairs<TagValue> = .init()
    ) {
        (self.id, self.slug, self.title, self.life) = (id, slug, title, life)
        (self.created, self.updated) = (created, updated)
        (self.description, self.team, self.tags) = (description, team, tags)
    }
}

/// A question and the runs that try to answer it.
package struct Experiment: Equatable, Sendable {
    package var id: ExperimentID
    package var project: ProjectID
    package var name: String
    package var life: Life
    package var created: Timestamp
    package var updated: Timestamp
    /// Where a client was told to put artifacts; empty means this store.
    package var location: String
    /// The number that the next run gets: `run_01` is number 1, and no number is given twice.
    package var nextNumber: Int
    package var description: String
    package var hypothesis: String
    package var tags: Pairs<TagValue>
    /// What surfaces and later features keep beside it, by name, as JSON text: type, domain, validation criteria …
    package var extras: Pairs<String>

    package init(
        id: ExperimentID, project: ProjectID, name: String, life: Life = .active, created: Timestamp,
        updated: Timestamp, location: String = "", nextNumber: Int = 1, description: String = "",
        hypothesis: String = "", tags: Pairs<TagValue> = .init(), extras: Pairs<String> = .init()
    ) {
        (self.id, self.project, self.name, self.life) = (id, project, name, life)
        (self.created, self.updated, self.location) = (created, updated, location)
        (self.nextNumber, self.description, self.hypothesis) = (nextNumber, description, hypothesis)
        (self.tags, self.extras) = (tags, extras)
    }
}

/// One execution: the part of it that changes with its state and is small enough to rewrite each time.
package struct Run: Equatable, Sendable {
    package var key: RunKey
    package var id: RunID
    package var project: ProjectID
    package var experiment: ExperimentID
    /// The number behind the short id.
    package var number: Int
    package var parent: RunKey?
    /// The attempt that is being written: 1, and one more at each resume.
    package var attempt: Int
    package var name: String
    package var status: Status
    package var life: Life
    package var start: Timestamp
    package var end: Timestamp?
    /// When a writer of this run was last heard, by arrival.
    package var seen: Timestamp
    package var created: Timestamp
    /// The run and the step up to which another run's points are this run's too.
    package var fork: Fork?

    package struct Fork: Equatable, Sendable {
        package var run: RunKey
        package var step: Int64
        package init(run: RunKey, step: Int64) { (self.run, self.step) = (run, step) }
    }

    package init(
        key: RunKey, id: RunID, project: ProjectID, experiment: ExperimentID, number: Int, parent: RunKey? = nil,
        attempt: Int = 1, name: String, status: Status = .running, life: Life = .active, start: Timestamp,
        end: Timestamp? = nil, seen: Timestamp, created: Timestamp, fork: Fork? = nil
    ) {
        (self.key, self.id, self.project, self.experiment) = (key, id, project, experiment)
        (self.number, self.parent, self.attempt, self.name) = (number, parent, attempt, name)
        (self.status, self.life, self.start, self.end) = (status, life, start, end)
        (self.seen, self.created, self.fork) = (seen, created, fork)
    }

    /// `run_03`: zero-padded to two digits, growing as needed.
    package var shortID: String { Run.shortID(number) }

    package static func shortID(_ number: Int) -> String { number < 10 ? "run_0\(number)" : "run_\(number)" }

    /// The number that a short id names: `run_3`, `run_03`.
    package static func number(shortID text: some StringProtocol) -> Int? {
        guard text.hasPrefix("run_"), let number = Int(text.dropFirst(4)), number > 0 else { return nil }
        return text.dropFirst(4).utf8.allSatisfy { $0 >= 48 && $0 <= 57 } ? number : nil
    }
}

/// The part of a run that is written as a document: params, tags and what else was said about it.
package struct RunAttributes: Equatable, Sendable {
    package var params: Pairs<ParamValue>
    package var tags: Pairs<TagValue>
    /// Single facts by name: `user`, `source`, `description`, `git_commit`, `code_version`, `environment` (JSON) …
    package var properties: Pairs<String>

    package init(
        params: Pairs<ParamValue> = .init(), tags: Pairs<TagValue> = .init(), properties: Pairs<String> = .init()
    ) {
        (self.params, self.tags, self.properties) = (params, tags, properties)
    }
}

/// A value that stands for a metric without being a point of its curve.
package struct SummaryValue: Equatable, Sendable {
    package var value: Double
    package var time: Timestamp
    package init(value: Double, time: Timestamp) { (self.value, self.time) = (value, time) }

    package static func == (a: SummaryValue, b: SummaryValue) -> Bool {
        a.value.bitPattern == b.value.bitPattern && a.time == b.time
    }
}

/// One writer's strand of a run: which attempt, in which role, of which rank.
package struct Lane: Hashable, Sendable {
    package var id: LaneID
    package var attempt: Int
    package var role: String
    package var rank: Int

    package init(id: LaneID, attempt: Int, role: String, rank: Int) {
        (self.id, self.attempt, self.role, self.rank) = (id, attempt, role, rank)
    }

    package static let plain = Lane(id: .plain, attempt: 1, role: "", rank: 0)
}

/// A lane's number. `plain` is what a client writes that knows of no lanes; `unstepped` keeps values that were logged
/// without a step, in order of arrival.
package struct LaneID: Hashable, Sendable, Comparable {
    package let raw: Int64
    package init(_ raw: Int64) { self.raw = raw }
    package static let plain = LaneID(0)
    package static let unstepped = LaneID(-1)
    package static func < (a: LaneID, b: LaneID) -> Bool { a.raw < b.raw }
}

/// Something appended and never changed: notes with history, facts, metric definitions, state events, problems.
package struct Item: Equatable, Sendable {
    package enum Owner: Hashable, Sendable {
        case project(ProjectID)
        case experiment(ExperimentID)
        case run(RunKey)
    }

    package var id: Int64
    package var owner: Owner
    /// `note`, `fact`, `metric`, `state`, `annotation`, `problem`, `gap`, `alert`, `attempt` …
    package var kind: String
    /// Which one of its kind: a note's number, a fact's name, a metric's glob; empty where there is only a list.
    package var key: String
    package var at: Timestamp
    package var who: String
    /// JSON.
    package var data: String

    package init(id: Int64, owner: Owner, kind: String, key: String, at: Timestamp, who: String, data: String) {
        (self.id, self.owner, self.kind, self.key) = (id, owner, kind, key)
        (self.at, self.who, self.data) = (at, who, data)
    }
}

/// A file of a run: bytes by their digest, or a reference to where they are.
package struct Artifact: Equatable, Sendable {
    package var id: Int64
    package var run: RunKey
    package var path: String
    package var digest: Digest?
    package var uri: String
    package var type: String
    package var size: Int64
    /// JSON.
    package var metadata: String
    package var at: Timestamp
    package var life: Life

    package init(
        id: Int64, run: RunKey, path: String, digest: Digest?, uri: String = "", type: String, size: Int64,
        metadata: String = "{}", at: Timestamp, life: Life = .active
    ) {
        (self.id, self.run, self.path, self.digest, self.uri) = (id, run, path, digest, uri)
        (self.type, self.size, self.metadata, self.at, self.life) = (type, size, metadata, at, life)
    }
}

/// Bytes that artifacts refer to, stored once.
package struct Blob: Equatable, Sendable {
    package enum State: UInt8, Sendable { case live = 0, dying = 1 }
    package var digest: Digest
    package var size: Int64
    package var state: State
    package var seen: Timestamp
    package init(digest: Digest, size: Int64, state: State = .live, seen: Timestamp) {
        (self.digest, self.size, self.state, self.seen) = (digest, size, state, seen)
    }
}

/// A named artifact of a project and its versions: one version for each content, aliases that move between them.
package struct NamedVersion: Equatable, Sendable {
    package var name: String
    package var version: Int
    package var digest: Digest
    package var size: Int64
    package var type: String
    package var at: Timestamp
    package var run: RunKey?
    /// JSON.
    package var metadata: String
    package init(
        name: String, version: Int, digest: Digest, size: Int64, type: String, at: Timestamp, run: RunKey?,
        metadata: String = "{}"
    ) {
        (self.name, self.version, self.digest, self.size) = (name, version, digest, size)
        (self.type, self.at, self.run, self.metadata) = (type, at, run, metadata)
    }
}

/// A rich point: the coordinates of a point, and a value that is not a number.
package struct RichPoint: Equatable, Sendable {
    package var key: String
    package var lane: LaneID
    package var step: Int64
    package var time: Timestamp
    /// `histogram`, `image`, `audio`, `video`, `text`, `table`, `figure`, `html`, `object3d`.
    package var kind: String
    /// Small JSON; blobs by digest.
    package var data: String
    package init(key: String, lane: LaneID = .plain, step: Int64, time: Timestamp, kind: String, data: String) {
        (self.key, self.lane, self.step, self.time) = (key, lane, step, time)
        (self.kind, self.data) = (kind, data)
    }
}

/// A piece of what a run printed.
package struct ConsoleChunk: Equatable, Sendable {
    package var stream: String
    package var number: Int64
    package var at: Timestamp
    package var text: [UInt8]
    package init(stream: String, number: Int64, at: Timestamp, text: [UInt8]) {
        (self.stream, self.number, self.at, self.text) = (stream, number, at, text)
    }
}

/// How far a logbook's writer has been applied: lines up to `acked` count, once.
package struct LogbookWriter: Equatable, Sendable {
    package var id: String
    package var acked: Int64
    package var source: String
    package var seen: Timestamp
    package init(id: String, acked: Int64, source: String, seen: Timestamp) {
        (self.id, self.acked, self.source, self.seen) = (id, acked, source, seen)
    }
}
