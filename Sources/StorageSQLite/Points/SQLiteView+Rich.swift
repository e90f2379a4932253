import CZstd
import MartletDomain
import MartletStorage

extension SQLiteView {
    func rich(
        _ run: RunKey, key: String?, from: Int64, to: Int64, limit: Int
    ) throws(StorageError) -> [RichPoint] {
        guard try hasRun(run) else { return [] }
        let columns = "SELECT name, lane, step, time_us, kind, data FROM rich WHERE run = ?"
        typealias Row = (name: Int64, point: RichPoint)
        func point(_ row: Statement) -> Row {
            let point = RichPoint(
                key: "", lane: LaneID(row.int(1)), step: row.int(2), time: row.time(3), kind: row.text(4),
                data: row.text(5))
            return (row.int(0), point)
        }
        if let key {
            guard let id = try nameID(key) else { return [] }
            return try connection.all(
                columns + " AND name = ? AND step BETWEEN ? AND ? ORDER BY step, id LIMIT ?", run, id, from, to, limit
            ) { (row) throws(StorageError) in
                var found = point(row).point
                found.key = key
                return found
            }
        }
        // Keys stand in the order of their texts, which the ids do not know.
        let ids = try connection.all("SELECT DISTINCT name FROM rich WHERE run = ?", run) { $0.int(0) }
        let keys = zip(try nameTexts(ids), ids).sorted { precedes($0.0, $1.0) }
        var all: [RichPoint] = []
        for (text, _) in keys where all.count < limit {
            all += try rich(run, key: text, from: from, to: to, limit: limit - all.count)
        }
        return all
    }

    func console(
        _ run: RunKey, stream: String?, after: Int64, limit: Int
    ) throws(StorageError) -> [ConsoleChunk] {
        guard try hasRun(run) else { return [] }
        func chunk(_ row: Statement) throws(StorageError) -> ConsoleChunk {
            let text = try row.withBlob(3) { (bytes) throws(StorageError) in
                try ConsoleText.decompress(bytes, of: run)
            }
            return ConsoleChunk(stream: row.text(0), number: row.int(1), at: row.time(2), text: text)
        }
        let columns = "SELECT stream, no, at_us, data FROM console WHERE run = ?"
        if let stream {
            return try connection.all(
                columns + " AND stream = ? AND no > ? ORDER BY no LIMIT ?", run, stream, after, limit, row: chunk)
        }
        // The index is by stream, and streams are few: a page of each, and of those the first.
        var all: [ConsoleChunk] = []
        for stream in try consoleStreams(of: run) {
            all += try console(run, stream: stream, after: after, limit: limit)
        }
        return Array(all.sorted { $0.number < $1.number }.prefix(limit))
    }

    func consoleStreams(of run: RunKey) throws(StorageError) -> [String] {
        guard try hasRun(run) else { return [] }
        // From one stream to the next by the index, without passing over the pieces between.
        return try connection.all(
            """
            WITH RECURSIVE found(stream) AS (SELECT min(stream) FROM console WHERE run = ?1 UNION ALL
            SELECT (SELECT min(stream) FROM console WHERE run = ?1 AND stream > found.stream) FROM found
            WHERE found.stream IS NOT NULL) SELECT stream FROM found WHERE stream IS NOT NULL
            """, run
        ) { $0.text(0) }
    }
}

extension SQLiteTransaction {
    func richKind(of run: RunKey, key: String) throws(StorageError) -> String? {
        guard let id = try nameID(key) else { return nil }
        return try connection.first("SELECT kind FROM rich WHERE run = ? AND name = ? LIMIT 1", run, id) { $0.text(0) }
    }

    func append(_ rich: [RichPoint], to run: RunKey) throws(StorageError) {
        for point in rich {
            try connection.run(
                "INSERT INTO rich(run, name, lane, step, time_us, kind, data) VALUES (?, ?, ?, ?, ?, ?, ?)", run,
                try intern(point.key), point.lane, point.step, point.time, point.kind, point.data)
            let id = connection.lastInsertID
            for digest in digests(in: point.data) {
                try connection.run("INSERT OR IGNORE INTO rich_blob(rich, sha) VALUES (?, ?)", id, digest)
            }
        }
        try touch(run)
    }

    func deleteRich(of run: RunKey, key: String, from: Int64, to: Int64) throws(StorageError) {
        guard let id = try nameID(key) else { return }
        let place = "run = ? AND name = ? AND step BETWEEN ? AND ?"
        try connection.run(
            "DELETE FROM rich_blob WHERE rich IN (SELECT id FROM rich WHERE \(place))", run, id, from, to)
        try connection.run("DELETE FROM rich WHERE \(place)", run, id, from, to)
        try touch(run)
    }

    func append(_ console: [ConsoleChunk], to run: RunKey) throws(StorageError) {
        var last: Int64 = 0
        for stream in try consoleStreams(of: run) {
            let of = try connection.integer("SELECT max(no) FROM console WHERE run = ? AND stream = ?", run, stream)
            last = max(last, of ?? 0)
        }
        for chunk in console {
            last += 1
            try connection.run(
                "INSERT INTO console(run, stream, no, at_us, data) VALUES (?, ?, ?, ?, ?)", run, chunk.stream, last,
                chunk.at, blob: ConsoleText.compress(chunk.text))
        }
        try touch(run)
    }

    /// Every run of exactly 64 hex digits: however a rich point's JSON names its blobs, the collector knows of them.
    private func digests(in text: String) -> Set<Digest> {
        var found: Set<Digest> = []
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, isHexDigit(bytes[end]) { end += 1 }
            if end - start == 64, let digest = Digest(String(decoding: bytes[start..<end], as: UTF8.self)) {
                found.insert(digest)
            }
            start = end + 1
        }
        return found
    }

    private func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

/// What a run printed, as zstd frames that carry their length.
enum ConsoleText {
    /// No chunk is taken in larger than this, and none is believed to be.
    static let bytesMax = 64 << 20

    static func compress(_ text: [UInt8]) -> [UInt8] {
        let bound = ZSTD_compressBound(text.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let size = text.withUnsafeBytes {
                ZSTD_compress(buffer.baseAddress, buffer.count, $0.baseAddress, $0.count, 3)
            }
            precondition(ZSTD_isError(size) == 0, "a buffer of the bound's size holds what is compressed")
            count = size
        }
    }

    static func decompress(_ frame: UnsafeRawBufferPointer, of run: RunKey) throws(StorageError) -> [UInt8] {
        let size = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
        // The two largest numbers say that the size is unknown or that this is no frame.
        guard size <= UInt64(bytesMax) else { throw damaged(run) }
        guard size > 0 else { return [] }
        var written = 0
        let text = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            written = ZSTD_decompress(buffer.baseAddress, buffer.count, frame.baseAddress, frame.count)
            count = ZSTD_isError(written) == 0 ? written : 0
        }
        guard ZSTD_isError(written) == 0, text.count == Int(size) else { throw damaged(run) }
        return text
    }

    private static func damaged(_ run: RunKey) -> StorageError {
        .damaged("The console of run \(run) cannot be read: a piece of it is damaged.")
    }
}
