import MartletClient
import MartletDomain
import MartletEngine
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON
import MartletThreads
import Synchronization

/// The thread that delivers lines.
extension Courier {
    /// One round; the milliseconds until the next.
    func deliver() -> Int {
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
    func collect() {
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
        do throws(ClientFailure) {
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
}
