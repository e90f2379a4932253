package import MartletDomain

// What a run printed. It is kept as it came, up to a limit: a loop that prints for weeks must not fill the disk of those
// who train.
extension Ledger {
    /// Streams of one run; `stdout` and `stderr` are two, and a launcher may have some of each rank's.
    private static let streamsMax = 32

    /// Appends what was printed. Beyond the limit the newest is dropped, counted, and said once as a problem.
    package func logConsole(
        _ chunks: [ConsoleChunk], to key: RunKey, who: String, evenDeleted: Bool = false
    ) throws(StorageError) {
        _ = try writableRun(key, evenDeleted: evenDeleted)
        var streams = Set(try tx.consoleStreams(of: key))
        var use = try tx.consoleUse(of: key)
        var kept: [ConsoleChunk] = []
        for chunk in chunks {
            if streams.insert(chunk.stream).inserted {
                try limits.checkKey(chunk.stream, "stream")
                guard streams.count <= Ledger.streamsMax else {
                    throw StorageError(
                        .limit,
                        "This run would have \(streams.count) console streams; the limit is \(Ledger.streamsMax).",
                        remedy: "Print to fewer streams.", field: "stream")
                }
            }
            if use.take(chunk.text.count, limit: limits.consoleBytes) { kept.append(chunk) }
        }
        if use.isNews {
            try recordProblem(
                "The console has reached its limit of \(limits.consoleBytes) bytes; what the run printed after that is not kept. Start the server with a higher --limit-console-bytes to keep more.",
                line: "", of: key, who: who)
        }
        try tx.setSetting(ConsoleUse.setting(key), use.text)
        if kept.isEmpty { try tx.touch(key) } else { try tx.append(kept, to: key) }
    }
}

/// How much of a run's console is kept, and how much was dropped.
package struct ConsoleUse: Equatable, Sendable {
    package private(set) var keptBytes = 0
    package private(set) var droppedBytes = 0
    /// The first piece was dropped just now.
    private(set) var isNews = false

    /// Whether a piece has room. After one that had none nothing has, until the limit is a higher one: a console with a
    /// hole in it would lie.
    mutating func take(_ bytes: Int, limit: Int) -> Bool {
        if keptBytes + bytes <= limit {
            keptBytes += bytes
            return true
        }
        isNews = isNews || droppedBytes == 0
        droppedBytes += bytes
        keptBytes = max(keptBytes, limit)
        return false
    }

    init() {}

    init(_ text: String) {
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 2 else { return }
        (keptBytes, droppedBytes) = (numbers[0], numbers[1])
    }

    var text: String { "\(keptBytes) \(droppedBytes)" }

    /// Kept beside the run and not in it: a line of output must not rewrite the run.
    static func setting(_ run: RunKey) -> String { "console/\(run.raw)" }
}

extension StoreReader {
    package func consoleUse(of run: RunKey) throws(StorageError) -> ConsoleUse {
        try setting(ConsoleUse.setting(run)).map { ConsoleUse($0) } ?? ConsoleUse()
    }
}
