package import MartletDomain
import MartletObservability
import MartletStorage

/// What became of lines that were handed in.
package struct LogbookReceipt: Sendable {
    /// Lines that took effect now, were counted before, or were kept as a problem: all that need not be sent again.
    package var accepted = 0
    /// How far each writer is on disk.
    package var acked: [String: Int64] = [:]
    /// Lines that could not be used, kept with their runs.
    package var problems = 0
    /// Set when a writer skipped a number: the one that must come next.
    package var expected: (writer: String, sequence: Int64)?
}

extension Engine {
    /// Lines that a client sent, in transactions of about a megabyte. `then` is called once, when all that can count is
    /// on disk.
    package func ingest(
        _ caller: Caller, lines: [ArraySlice<UInt8>], source: String,
        then: @escaping @Sendable (Result<LogbookReceipt, Refusal>) -> Void
    ) {
        // Whoever sends still has what was damaged on the way, and is asked for it by its number.
        let (groups, damaged) = parse(lines, source: source, keepsDamaged: false)
        var receipt = LogbookReceipt()
        receipt.problems = damaged
        ingest(caller, groups[...], source: source, receipt, then: then)
    }

    /// The same for lines read from a file, by a thread that may wait for room in the queue. `isLast` says that nothing
    /// comes after them any more.
    package func ingestAndWait(
        _ caller: Caller, lines: [ArraySlice<UInt8>], source: String, stepsOverGaps: Bool = false, isLast: Bool = false
    ) throws(Refusal) -> LogbookReceipt {
        let (groups, _) = parse(lines, source: source, keepsDamaged: true)
        var receipt = LogbookReceipt()
        for (index, group) in groups.enumerated() {
            let part = try changeAndWait(caller, .bulk, bytes: group.bytes) { ledger throws(Refusal) in
                var ingest = LogbookIngest(ledger, caller: caller, source: source, stepsOverGaps: stepsOverGaps)
                return try ingest.apply(group.lines, isLast: isLast && index == groups.count - 1)
            }
            receipt.add(part)
            if part.expected != nil { break }
        }
        return receipt
    }

    private struct Group: Sendable {
        var lines: [LogbookIngest.Entry]
        var bytes: Int
    }

    private func parse(
        _ lines: [ArraySlice<UInt8>], source: String, keepsDamaged: Bool
    ) -> (groups: [Group], damaged: Int) {
        var damaged = 0
        var groups: [Group] = []
        for bytes in lines where !bytes.isEmpty {
            let entry: LogbookIngest.Entry
            do throws(LogbookLine.Damage) {
                entry = .line(try LogbookLine(bytes))
            } catch {
                damaged += 1
                log.warning("A logbook line cannot be used: \(error.message)", ("source", source))
                guard keepsDamaged else { continue }
                entry = .damaged(error.message, text: String(decoding: bytes.prefix(2000), as: UTF8.self))
            }
            if let last = groups.indices.last, groups[last].bytes + bytes.count <= 1 << 20 {
                groups[last].lines.append(entry)
                groups[last].bytes += bytes.count
            } else {
                groups.append(Group(lines: [entry], bytes: bytes.count))
            }
        }
        return (groups, damaged)
    }

    /// One group after the other, each sent on when its predecessor is on disk: a writer's lines are applied in order.
    private func ingest(
        _ caller: Caller, _ groups: ArraySlice<Group>, source: String, _ receipt: LogbookReceipt,
        then: @escaping @Sendable (Result<LogbookReceipt, Refusal>) -> Void
    ) {
        guard let group = groups.first, receipt.expected == nil else { return then(.success(receipt)) }
        change(caller, bytes: group.bytes) { ledger throws(Refusal) in
            var ingest = LogbookIngest(ledger, caller: caller, source: source, stepsOverGaps: false)
            return try ingest.apply(group.lines, isLast: false)
        } then: { result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let part):
                var sum = receipt
                sum.add(part)
                self.ingest(caller, groups.dropFirst(), source: source, sum, then: then)
            }
        }
    }
}

extension LogbookReceipt {
    mutating func add(_ part: LogbookReceipt) {
        accepted += part.accepted
        problems += part.problems
        acked.merge(part.acked) { max($0, $1) }
        expected = part.expected
    }
}
