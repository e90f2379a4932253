import MartletDomain
import MartletStorage

// How values of the domain lie in columns. A number that no case has means that the file is damaged.

extension Timestamp: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) { try statement.bind(micros, at: place) }
}
extension ProjectID: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) { try statement.bind(raw, at: place) }
}
extension ExperimentID: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) { try statement.bind(raw, at: place) }
}
extension RunKey: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) { try statement.bind(raw, at: place) }
}
extension LaneID: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) { try statement.bind(raw, at: place) }
}
extension UInt8: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) {
        try statement.bind(Int64(self), at: place)
    }
}

extension RunID: Bindable {
    /// 16 bytes, highest first, so that the order of blobs is the order of ids.
    func bind(to statement: Statement, at place: Int) throws(StorageError) {
        try withUnsafeBytes16 { (bytes) throws(StorageError) in try statement.bind(copying: bytes, at: place) }
    }

    private func withUnsafeBytes16(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError) {
        var words = (high.bigEndian, low.bigEndian)
        var refusal: StorageError?
        withUnsafeBytes(of: &words) { bytes in
            do throws(StorageError) { try body(bytes) } catch { refusal = error }
        }
        if let refusal { throw refusal }
    }
}

extension Digest: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) {
        try bytes.bind(to: statement, at: place)
    }

    /// 32 bytes: half of what the text takes, in the same order.
    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(32)
        var high: UInt8?
        for digit in text.utf8 {
            let value = digit < UInt8(ascii: "a") ? digit &- UInt8(ascii: "0") : digit &- UInt8(ascii: "a") &+ 10
            if let first = high {
                out.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return out
    }
}

extension Item.Owner {
    /// One integer for the three kinds, so that one index serves them.
    var coded: Int64 {
        switch self {
        case .project(let id): id.raw << 2
        case .experiment(let id): id.raw << 2 | 1
        case .run(let key): key.raw << 2 | 2
        }
    }

    init?(coded: Int64) {
        switch coded & 3 {
        case 0: self = .project(ProjectID(coded >> 2))
        case 1: self = .experiment(ExperimentID(coded >> 2))
        case 2: self = .run(RunKey(coded >> 2))
        default: return nil
        }
    }
}

extension Statement {
    func time(_ column: Int) -> Timestamp { Timestamp(micros: int(column)) }
    func optionalTime(_ column: Int) -> Timestamp? { optionalInt(column).map(Timestamp.init(micros:)) }

    func small<T: RawRepresentable>(_ column: Int, _ what: String, as type: T.Type = T.self) throws(StorageError) -> T
    where T.RawValue == UInt8 {
        let number = int(column)
        guard let raw = UInt8(exactly: number), let value = T(rawValue: raw) else {
            throw .damaged("A row holds \(number) as its \(what), which means nothing.")
        }
        return value
    }

    func digest(_ column: Int) throws(StorageError) -> Digest {
        try withBlob(column) { (bytes) throws(StorageError) in
            guard bytes.count == 32 else { throw .damaged("A row holds a digest of \(bytes.count) bytes.") }
            return Digest(bytes: bytes)
        }
    }

    func runID(_ column: Int) throws(StorageError) -> RunID {
        try withBlob(column) { (bytes) throws(StorageError) in
            guard bytes.count == 16 else { throw .damaged("A row holds a run's id of \(bytes.count) bytes.") }
            return RunID(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }
}

// MARK: - Rows as values

extension Project {
    static let columns = "id, slug, title, life, created_us, updated_us, doc"

    init(_ row: Statement) throws(StorageError) {
        let texts = try row.withBlob(6) { (bytes) throws(StorageError) in try RecordDocument.decode(bytes) }
        self.init(
            id: ProjectID(row.int(0)), slug: row.text(1), title: row.text(2), life: try row.small(3, "life"),
            created: row.time(4), updated: row.time(5), description: texts.facts["description"] ?? "",
            team: texts.facts["team"] ?? "", tags: texts.tags)
    }

    var document: [UInt8] {
        RecordDocument(facts: Pairs([("description", description), ("team", team)]), tags: tags).encoded
    }
}

extension Experiment {
    static let columns = "id, project, name, next_no, life, created_us, updated_us, location, doc"

    init(_ row: Statement) throws(StorageError) {
        let texts = try row.withBlob(8) { (bytes) throws(StorageError) in try RecordDocument.decode(bytes) }
        self.init(
            id: ExperimentID(row.int(0)), project: ProjectID(row.int(1)), name: row.text(2),
            life: try row.small(4, "life"), created: row.time(5), updated: row.time(6), location: row.text(7),
            nextNumber: Int(row.int(3)), description: texts.facts["description"] ?? "",
            hypothesis: texts.facts["hypothesis"] ?? "", tags: texts.tags, extras: texts.extras)
    }

    var document: [UInt8] {
        RecordDocument(
            facts: Pairs([("description", description), ("hypothesis", hypothesis)]), tags: tags, extras: extras
        ).encoded
    }
}

extension Run {
    static let columns = """
        id, uuid, project, exp, no, parent, attempt, title, state, status, life, start_us, end_us, seen_us, created_us, \
        fork_run, fork_step
        """

    init(_ row: Statement) throws(StorageError) {
        self.init(
            key: RunKey(row.int(0)), id: try row.runID(1), project: ProjectID(row.int(2)),
            experiment: ExperimentID(row.int(3)), number: Int(row.int(4)), parent: row.optionalInt(5).map(RunKey.init),
            attempt: Int(row.int(6)), name: row.text(7),
            status: Status(state: try row.small(8, "state"), word: row.text(9)), life: try row.small(10, "life"),
            start: row.time(11), end: row.optionalTime(12), seen: row.time(13), created: row.time(14),
            fork: row.optionalInt(15).map { Fork(run: RunKey($0), step: row.int(16)) })
    }
}

extension Item {
    static let columns = "id, owner, kind, key, at_us, who, data"

    init(_ row: Statement) throws(StorageError) {
        guard let owner = Owner(coded: row.int(1)) else { throw .damaged("Item \(row.int(0)) belongs to nothing.") }
        self.init(
            id: row.int(0), owner: owner, kind: row.text(2), key: row.text(3), at: row.time(4), who: row.text(5),
            data: row.text(6))
    }
}

extension Card {
    static let columns = "id, kind, project, owner, key, life, created_us, updated_us, data, sha"

    init(_ row: Statement) throws(StorageError) {
        self.init(
            id: row.int(0), kind: row.text(1), project: ProjectID(row.int(2)), owner: row.text(3), key: row.text(4),
            life: try row.small(5, "life"), created: row.time(6), updated: row.time(7), data: row.text(8),
            digest: row.isNull(9) ? nil : try row.digest(9))
    }
}

extension Artifact {
    static let columns = "id, run, path, sha, uri, type, size, meta, at_us, life"

    init(_ row: Statement) throws(StorageError) {
        self.init(
            id: row.int(0), run: RunKey(row.int(1)), path: row.text(2), digest: row.isNull(3) ? nil : try row.digest(3),
            uri: row.text(4), type: row.text(5), size: row.int(6), metadata: row.text(7), at: row.time(8),
            life: try row.small(9, "life"))
    }
}

extension Blob {
    static let columns = "sha, size, state, seen_us"

    init(_ row: Statement) throws(StorageError) {
        self.init(digest: try row.digest(0), size: row.int(1), state: try row.small(2, "state"), seen: row.time(3))
    }
}

extension NamedVersion {
    static let columns = "name, version, sha, size, type, at_us, run, meta"

    init(_ row: Statement) throws(StorageError) {
        self.init(
            name: row.text(0), version: Int(row.int(1)), digest: try row.digest(2), size: row.int(3), type: row.text(4),
            at: row.time(5), run: row.optionalInt(6).map(RunKey.init), metadata: row.text(7))
    }
}

extension AccessToken {
    static let columns = "id, user, kind, hash, label, created_us, expires_us, revoked_us"

    init(_ row: Statement) throws(StorageError) {
        self.init(
            id: row.text(0), user: row.text(1), kind: try row.small(2, "kind"), hash: try row.digest(3),
            label: row.text(4), created: row.time(5), expires: row.optionalTime(6), revoked: row.optionalTime(7))
    }
}

extension AuditEntry {
    static let columns = "number, project, at_us, who, via, request, action, subject, detail, hash"

    init(_ row: Statement) throws(StorageError) {
        self.init(
            number: row.int(0), project: ProjectID(row.int(1)), at: row.time(2), who: row.text(3), via: row.text(4),
            request: row.text(5), action: row.text(6), subject: row.text(7), detail: row.text(8),
            hash: try row.digest(9))
    }
}
