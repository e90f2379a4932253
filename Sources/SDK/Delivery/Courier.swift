import Glibc
import MartletClient
import MartletDomain
import MartletEngine
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON
import MartletThreads
import Synchronization

/// Brings what this process logs to one store. Callers leave values in `intake` and go on; one thread turns them into
/// numbered lines and hands those on in batches (`Courier+Lines`), another one uploads files (`Courier+Files`). What
/// neither brings there in time is kept (`Courier+Rest`).
///
/// The two mutexes are never held together, and neither across I/O.
final class Courier: Sendable {
    let connection: Connection
    let settings: LoggingSettings
    let notices: Notices
    let intake: Mutex<Intake>
    let desk: Mutex<Desk>
    private let delivering = BackgroundThread()
    let uploading = BackgroundThread()

    static let batchBytesMax = 1 << 20
    static let retrySecondsMax = 5.0
    static let beatMicros: Int64 = 30_000_000
    /// A store that takes a connection and says nothing is given up after so long, and tried again.
    static let answerSecondsMax = 30.0

    init(_ connection: Connection, _ settings: LoggingSettings) {
        (self.connection, self.settings) = (connection, settings)
        notices = Notices(settings.notice)
        intake = Mutex(Intake(bytesMax: max(1 << 16, settings.memoryBytesMax)))
        desk = Mutex(Desk(outbox: Outbox(writer: Courier.newWriter())))
        delivering.start { [weak self] _ in self?.deliver() ?? 60_000 }
        uploading.start { [weak self] _ in self?.upload() ?? 60_000 }
    }

    static func newWriter() -> String { "swift-\(RunID.make().text)" }

    // MARK: What callers do: memory only

    func begin(_ run: String, _ fields: JSONObject, in experiment: String, at time: Int64) {
        let isFirst = desk.withLock { desk in
            defer { desk.hasGreeted = true }
            let entry = Entry(run: run, time: time, ordinal: 0, what: .op("run", fields))
            desk.runCount += 1
            desk.runs[run] = Begun(line: entry.line, number: desk.runCount)
            return !desk.hasGreeted
        }
        add(run, .op("run", fields))
        delivering.wake()
        if isFirst { notices.greet("run \(run.prefix(8)) in \(experiment), kept in \(connection.place.text)") }
    }

    func log(_ run: String, _ values: [String: Double], step: Int?) {
        if !values.isEmpty { add(run, .metrics(values, step: step)) }
    }

    func write(_ run: String, _ op: String, _ fields: JSONObject) {
        let what = Entry.What.op(op, fields)
        guard what.size <= Entry.sizeMax else {
            return lose(
                1,
                because:
                    "A line of about \(what.size) bytes (\(op)) was not logged: at most \(Entry.sizeMax) are taken. Log it as an artifact."
            )
        }
        add(run, what)
    }

    func end(_ run: String, _ fields: JSONObject) {
        add(run, .op("state", fields))
        desk.withLock { $0.runs[run]?.hasEnded = true }
    }

    private func add(_ run: String, _ what: Entry.What) {
        let time = SystemClock().now.millis
        let (hasRoom, isFilling) = intake.withLock { intake in
            let before = intake.bytes
            let hasRoom = intake.add(run, at: time, what)
            return (hasRoom, before < Courier.batchBytesMax && intake.bytes >= Courier.batchBytesMax)
        }
        if isFilling { delivering.wake() }
        if !hasRoom {
            tell(
                "\(settings.memoryBytesMax) bytes wait for \(connection.place.text), and more are dropped until it takes them; they are counted with the run."
            )
        }
    }

    func upload(_ run: String, _ source: Upload.Source, as name: String, type: String?) {
        let ordinal = intake.withLock { intake -> Int? in
            if case .bytes(let bytes) = source {
                guard intake.total + bytes.count <= 2 * intake.bytesMax else { return nil }
                intake.uploadBytes += bytes.count
            }
            return intake.nextOrdinal()
        }
        guard let ordinal else {
            return lose(1, because: "There is no room in memory for the artifact \(name); write it to a file first.")
        }
        desk.withLock {
            $0.uploads.append(Upload(run: run, source: source, name: name, type: type, ordinal: ordinal))
        }
        uploading.wake()
    }

    func lose(_ count: Int, because sentence: String) {
        intake.withLock { $0.drop(count) }
        tell(sentence)
    }

    /// A problem, for standard error and for whoever asks.
    func tell(_ sentence: String, isAway: Bool = false) {
        desk.withLock { ($0.problem, $0.isAway) = (sentence, isAway) }
        notices.tell(sentence, isAway: isAway)
    }

    var problem: String? { desk.withLock { $0.problem } }

    // MARK: Waiting

    /// Waits until all that was logged before is on disk; at most so long, and for a store that is away only until one
    /// more try has failed, unless it is the last chance.
    func wait(seconds: Double, isLastChance: Bool = false) -> Delivery {
        let target = intake.withLock { $0.ordinal }
        let bell = Bell()
        let failuresBefore = desk.withLock { desk in
            desk.bells[ObjectIdentifier(bell)] = bell
            desk.retryAt = 0
            return desk.failures
        }
        defer { _ = desk.withLock { $0.bells.removeValue(forKey: ObjectIdentifier(bell)) } }
        let end = SystemClock().monotonic + Int64(max(0, min(seconds, 86_400)) * 1e6)
        while true {
            let (waiting, failures) = desk.withLock { ($0.waiting(through: target), $0.failures) }
            let left = end - SystemClock().monotonic
            let isAway = failures > failuresBefore && !isLastChance
            if waiting == 0 || left <= 0 || isAway { break }
            delivering.wake()
            uploading.wake()
            bell.wait(milliseconds: Int(min(left / 1000 + 1, 250)))
        }
        let dropped = intake.withLock { $0.dropped }
        return desk.withLock { desk in
            let waiting = desk.waiting(through: target)
            return Delivery(isComplete: waiting == 0, waiting: waiting, dropped: dropped, problem: desk.problem)
        }
    }

    func ringBells() {
        for bell in desk.withLock({ Array($0.bells.values) }) { bell.ring() }
    }

    /// Stops the threads and lets the store go. What is left is lost: whoever calls this has seen to it.
    func close() {
        desk.withLock { $0.isClosed = true }
        delivering.stop()
        uploading.stop()
        connection.close()
    }
}
