import Glibc
import MartletCLI
import MartletDomain
import MartletEngine
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON
import MartletThreads
import Synchronization

/// Brings what this process logs to one store. Callers leave values in `intake` and go on; one thread turns them into
/// numbered lines and hands those on in batches, another one uploads files.
///
/// The two mutexes are never held together, and neither across I/O.
final class Courier: Sendable {
    let connection: Connection
    let settings: LoggingSettings
    private let notices: Notices
    private let intake: Mutex<Intake>
    private let desk: Mutex<Desk>
    private let delivering = BackgroundThread()
    private let uploading = BackgroundThread()

    /// What the threads know, and others may ask.
    fileprivate struct Desk {
        var outbox: Outbox
        /// Calls up to this one are in the outbox, or settled.
        var taken = 0
        var uploads: [Upload] = []
        /// Runs of which something may still come or wait.
        var runs: [String: Begun] = [:]
        var runCount = 0
        var failures = 0
        var problem: String?
        /// Whether the problem is that the store does not answer, which passes.
        var isAway = false
        var retryAt: Int64 = 0
        var lastSent: Int64 = 0
        /// The last line that is in the file of those that wait for a server; 0 while there is no file.
        var spilled: Int64 = 0
        var hasGreeted = false
        var isClosed = false
        var bells: [ObjectIdentifier: Bell] = [:]
    }

    /// A run with the line that began it, for a store that has lost it.
    fileprivate struct Begun {
        var line: Outbox.Line
        var number: Int
        var hasEnded = false
    }

    private static let batchBytesMax = 1 << 20
    private static let retrySecondsMax = 5.0
    private static let beatMicros: Int64 = 30_000_000
    /// A store that takes a connection and says nothing is given up after so long, and tried again.
    private static let answerSecondsMax = 30.0

    init(_ connection: Connection, _ settings: LoggingSettings) {
        (self.connection, self.settings) = (connection, settings)
        notices = Notices(settings.notice)
        intake = Mutex(Intake(bytesMax: max(1 << 16, settings.memoryBytesMax)))
        desk = Mutex(Desk(outbox: Outbox(writer: Courier.newWriter())))
        delivering.start { [weak self] _ in self?.deliver() ?? 60_000 }
        uploading.start { [weak self] _ in self?.upload() ?? 60_000 }
    }

    private static func newWriter() -> String { "swift-\(RunID.make().text)" }

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

    // MARK: The thread that delivers

    /// One round; the milliseconds until the next.
    private func deliver() -> Int {
        collect()
        while let pause = sendBatch() {
            if pause > 0 { return pause }
            collect()
        }
        let isBusy = desk.withLock { !$0.runs.isEmpty || $0.outbox.count > 0 }
        return isBusy ? batchMilliseconds : 60_000
    }

    private var batchMilliseconds: Int { max(1, Int(min(60, settings.batchSeconds) * 1000)) }

    /// Makes lines of what callers have left.
    private func collect() {
        let now = SystemClock().now
        beat(now)
        let (entries, ordinal) = intake.withLock { ($0.take(at: now.millis), $0.ordinal) }
        let lines = entries.map(\.line)
        let bytes = desk.withLock { desk in
            for line in lines { desk.outbox.add(line) }
            desk.taken = ordinal
            return desk.outbox.bytes
        }
        intake.withLock { $0.outboxBytes = bytes }
    }

    /// Says that the runs go on, when nothing else has for a while.
    private func beat(_ now: Timestamp) {
        let quiet = desk.withLock { desk -> [String] in
            guard now.micros - desk.lastSent >= Courier.beatMicros, desk.outbox.count == 0, desk.lastSent > 0 else {
                return []
            }
            desk.lastSent = now.micros
            return desk.openRuns
        }
        for run in quiet { _ = intake.withLock { $0.add(run, at: now.millis, .op("beat", JSONObject())) } }
    }

    /// Nil when there is nothing to send, else the milliseconds to wait before the next batch.
    private func sendBatch() -> Int? {
        let now = SystemClock().monotonic
        let (isClosed, retryAt) = desk.withLock { ($0.isClosed, $0.retryAt) }
        if isClosed { return nil }
        if retryAt > now {
            spill()
            return max(1, min(Int((retryAt - now) / 1000), batchMilliseconds))
        }
        let batch = desk.withLock { $0.outbox.batch(bytesMax: Courier.batchBytesMax) }
        guard batch.count > 0 else { return nil }
        let answer: BackendAnswer
        do throws(CommandFailure) {
            var request = ClientRequest(
                .post, "/api/v1/logbook", headers: ["Content-Type": "application/x-ndjson"], body: .bytes(batch.text))
            request.totalSeconds = Courier.answerSecondsMax
            answer = try connection.backend(creates: true).send(request)
        } catch {
            return putOff(error.message, after: nil)
        }
        return settle(answer, of: batch.count, for: batch.run)
    }

    private func settle(_ answer: BackendAnswer, of count: Int, for run: String?) -> Int {
        let value = (try? JSONValue(parsing: answer.body)) ?? .null
        switch answer.status.code {
        case 200..<300:
            let (writer, first) = desk.withLock { ($0.outbox.writer, $0.outbox.first) }
            guard let acked = value["acked"]?[writer]?.int64, acked >= first else {
                return putOff("\(connection.place.text) answered, and took none of what was sent.", after: nil)
            }
            accept { $0.acknowledge(through: acked) }
            if (value["problems"]?.int64 ?? 0) > 0, let run { tell(refusedLine(of: run)) }
        case 409 where value["expected"] != nil:
            let expected = value["expected"]?.int64 ?? 1
            // What it waits for must be a line that is still here.
            let isKnown = desk.withLock {
                expected > $0.outbox.first && expected <= $0.outbox.first + Int64($0.outbox.count)
            }
            if isKnown {
                accept { $0.acknowledge(through: expected - 1) }
            } else if desk.withLock({ $0.outbox.first }) == expected {
                return putOff("A line came to \(connection.place.text) damaged.", after: nil)
            } else {
                startOver()
            }
        case 400, 413, 415, 422:
            lose(count, because: "\(connection.place.text) refused \(count) lines: \(sentence(of: value, answer))")
            discardSpilled()
            accept { $0.giveUp(count) }
        default:
            return putOff(sentence(of: value, answer), after: answer.headers["retry-after"].flatMap { Double($0) })
        }
        return 0
    }

    private func accept(_ change: (inout Outbox) -> Void) {
        let bytes = desk.withLock { desk in
            change(&desk.outbox)
            desk.lastSent = SystemClock().now.micros
            desk.failures = 0
            if desk.isAway { (desk.problem, desk.isAway) = (nil, false) }
            if desk.outbox.count == 0 { desk.runs = desk.runs.filter { !$0.value.hasEnded } }
            return desk.outbox.bytes
        }
        intake.withLock { $0.outboxBytes = bytes }
        if desk.withLock({ $0.outbox.count == 0 && $0.spilled > 0 }) { discardSpilled() }
        notices.recovered(connection.place.text)
        ringBells()
        uploading.wake()
    }

    private func startOver() {
        tell("\(connection.place.text) has lost what this program sent before; its runs are begun there again.")
        discardSpilled()
        desk.withLock { desk in
            desk.outbox.startOver(writer: Courier.newWriter(), with: desk.openings)
        }
    }

    /// The store is away, full or busy: the lines stay, and are sent again.
    private func putOff(_ sentence: String, after seconds: Double?) -> Int {
        let pause = desk.withLock { desk in
            desk.failures += 1
            let doubled = 0.25 * Double(1 << min(desk.failures, 6))
            let pause = min(Courier.retrySecondsMax, seconds ?? doubled)
            desk.retryAt = SystemClock().monotonic + Int64(pause * 1e6)
            return pause
        }
        spill()
        tell("\(sentence) What is logged is kept, and sent again.", isAway: true)
        ringBells()
        return max(1, Int(pause * 1000))
    }

    /// Keeps what waits for a server in a file too, so that a program that is killed meanwhile has lost none of it. In a
    /// folder that cannot be written there is nothing to be gained by it.
    private func spill() {
        guard case .server = connection.place else { return }
        let (writer, spilled, rest) = desk.withLock {
            ($0.outbox.writer, $0.spilled, $0.outbox.rest(after: $0.spilled))
        }
        guard !rest.text.isEmpty, LocalFiles.append(rest.text, to: spillPath(writer), isFirst: spilled == 0) else {
            return
        }
        desk.withLock { $0.spilled = rest.last }
    }

    /// The lines have arrived, or get other numbers.
    private func discardSpilled() {
        let writer = desk.withLock { desk in
            desk.spilled = 0
            return desk.outbox.writer
        }
        if case .server = connection.place { unlink(spillPath(writer)) }
    }

    var unsentStore: String { settings.unsentStore ?? Machine.standardStore }

    /// Where what was not delivered is found again: for a server a file that `martlet sync` sends, for a folder its own
    /// logbooks, which the next `martlet` there takes in.
    func spillPath(_ writer: String) -> String {
        switch connection.place {
        case .folder(let path): "\(path)/logbooks/live/\(writer).jsonl"
        case .server: "\(unsentStore)/logbooks/unsent/\(writer).jsonl"
        }
    }

    private func sentence(of value: JSONValue, _ answer: BackendAnswer) -> String {
        value["error"]?["message"]?.string
            ?? "\(connection.place.text) answered with status \(answer.status.code)."
    }

    /// The store's own sentence about a line that it could not use.
    private func refusedLine(of run: String) -> String {
        let list = try? API(connection.backend(creates: false)).get(["runs", run, "problems"])
        let said = list?["problems"]?.array?.last?["problem"]?.string ?? "A value could not be used."
        return "\(said) (Run \(run.prefix(8)); it is kept among the run's problems.)"
    }

    private func ringBells() {
        for bell in desk.withLock({ Array($0.bells.values) }) { bell.ring() }
    }

    // MARK: The thread that uploads

    private func upload() -> Int {
        while let upload = desk.withLock({ $0.readyUpload }) {
            let outcome = upload.send(over: connection)
            switch outcome {
            case .away(let sentence):
                let failures = desk.withLock { desk in
                    desk.failures += 1
                    return desk.failures
                }
                tell("\(sentence) The file \(upload.name) waits, and is sent again.", isAway: true)
                ringBells()
                return Int(1000 * min(Courier.retrySecondsMax, 0.25 * Double(1 << min(failures, 6))))
            case .done: break
            case .refused(let sentence): lose(1, because: "The artifact \(upload.name) was not logged: \(sentence)")
            }
            desk.withLock { $0.uploads.removeAll { $0.ordinal == upload.ordinal } }
            if case .bytes(let bytes) = upload.source { intake.withLock { $0.uploadBytes -= bytes.count } }
            ringBells()
        }
        return 60_000
    }

    // MARK: The end of the program

    /// Runs that nobody has ended get the ending that the program has.
    func endOpenRuns(exitStatus: Int32) {
        let open = desk.withLock { $0.openRuns }
        for run in open {
            var fields: JSONObject = [
                "status": .string(exitStatus == 0 ? "finished" : "failed"), "end": .int(SystemClock().now.millis),
            ]
            if exitStatus != 0 { fields["exit"] = .int(Int64(exitStatus)) }
            end(run, fields)
        }
    }

    /// What could not be delivered, as the lines of a logbook; after it nothing is sent any more.
    func takeRest() -> (writer: String, text: [UInt8], uploads: [String]) {
        collect()
        return desk.withLock { desk in
            desk.isClosed = true
            return (desk.outbox.writer, desk.outbox.batch(bytesMax: .max).text, desk.uploads.map(\.name))
        }
    }

    /// Stops the threads and lets the store go. What is left is lost: whoever calls this has seen to it.
    func close() {
        desk.withLock { $0.isClosed = true }
        delivering.stop()
        uploading.stop()
        connection.close()
    }
}

extension Courier.Desk {
    fileprivate var openRuns: [String] { runs.filter { !$0.value.hasEnded }.map(\.key) }

    /// In the order in which the runs began, which their short ids follow.
    fileprivate var openings: [Outbox.Line] { runs.values.sorted { $0.number < $1.number }.map(\.line) }

    /// Calls up to this one that are not settled.
    fileprivate func waiting(through target: Int) -> Int {
        let uploads = uploads.count { $0.ordinal <= target }
        guard taken >= target else { return outbox.count + target - taken + uploads }
        guard let first = outbox.firstOrdinal, first <= target else { return uploads }
        return min(outbox.count, target - first + 1) + uploads
    }

    /// The first file whose run the store knows.
    fileprivate var readyUpload: Upload? {
        guard !isClosed, let upload = uploads.first, taken >= upload.ordinal else { return nil }
        if let waiting = outbox.firstOrdinal, waiting < upload.ordinal { return nil }
        return upload
    }
}
