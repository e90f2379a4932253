import Glibc
import MartletDomain
import MartletStorage

// Where the bytes are. SQLite knows the length of a blob from the head of its row, so that what lies on overflow pages
// is not read: a pass costs about a page for each row of points, packs and console.
extension SQLiteView {
    func usage() throws(StorageError) -> StoreUsage {
        var usage = StoreUsage()
        var places: [Int64: Int] = [:]
        try connection.each("SELECT exp, id FROM run INDEXED BY run_exp ORDER BY exp, id") { row throws(StorageError) in
            places[row.int(1)] = usage.runs.count
            usage.runs.append(
                .init(run: RunKey(row.int(1)), experiment: ExperimentID(row.int(0)), bytes: RunBytes()))
        }
        // Rows of a run that was deleted for good wait to be removed, and count as nobody's.
        func add(_ part: WritableKeyPath<RunBytes, Int64>, _ sql: String) throws(StorageError) {
            try connection.each(sql) { row throws(StorageError) in
                guard let place = places[row.int(0)] else { return }
                usage.runs[place].bytes[keyPath: part] += row.int(1)
            }
        }
        try add(
            \.points,
            "SELECT series.run, length(chunk.data) + length(stats) FROM chunk JOIN series ON series.id = chunk.id >> 22"
        )
        try add(\.points, "SELECT run, length(dir) + length(data) FROM pack")
        try add(\.points, "SELECT id >> 16, length(data) FROM metric_doc")
        try add(\.journal, "SELECT run, length(data) FROM journal")
        try add(\.record, "SELECT id >> 2, length(data) FROM run_doc")
        // The length of a text in bytes is that of its blob; 3.43 has a shorter word for it.
        try add(\.record, "SELECT owner >> 2, length(CAST(data AS BLOB)) FROM item WHERE owner & 3 = 2")
        try add(\.console, "SELECT run, length(data) FROM console")
        try add(\.media, "SELECT run, length(CAST(data AS BLOB)) FROM rich")
        usage.inDatabase = usage.runs.reduce(0) { $0 + $1.bytes.total }
        try addFiles(to: &usage, places)
        for suffix in ["", "-wal", "-shm"] {
            var status = stat()
            if stat(connection.path + suffix, &status) == 0 { usage.database += Int64(status.st_size) }
        }
        return usage
    }

    /// Each file once: with the first artifact that holds it, else the first rich value, else what its project has.
    private func addFiles(to usage: inout StoreUsage, _ places: [Int64: Int]) throws(StorageError) {
        var unclaimed: [Digest: Int64] = [:]
        try connection.each("SELECT sha, size FROM blob") { row throws(StorageError) in
            unclaimed[try row.digest(0)] = row.int(1)
        }
        let claims: [(sql: String, part: WritableKeyPath<RunBytes, Int64>?)] = [
            ("SELECT run, sha FROM artifact WHERE sha IS NOT NULL AND uri = '' AND life = 0 ORDER BY id", \.artifacts),
            ("SELECT rich.run, sha FROM rich_blob JOIN rich ON rich.id = rich_blob.rich ORDER BY rich.id", \.media),
            ("SELECT project, sha FROM named_version", nil),
            ("SELECT project, sha FROM card WHERE sha IS NOT NULL", nil),
        ]
        for (sql, part) in claims {
            try connection.each(sql) { row throws(StorageError) in
                let digest = try row.digest(1)
                guard let size = unclaimed[digest] else { return }
                if let part {
                    guard let place = places[row.int(0)] else { return }
                    usage.runs[place].bytes[keyPath: part] += size
                } else {
                    usage.projects[ProjectID(row.int(0)), default: 0] += size
                }
                unclaimed[digest] = nil
            }
        }
        usage.unclaimed = unclaimed.values.reduce(0, +)
    }
}
