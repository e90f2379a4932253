/// What calls have left and nobody has taken yet, and the limit that it keeps. No clock, no lock, no I/O.
struct Intake {
    /// Values of metrics that found no room.
    struct Gap {
        var first: Int?
        var last: Int?
        var count: Int
    }

    let bytesMax: Int
    private(set) var entries: [Entry] = []
    private(set) var bytes = 0
    /// Bytes of lines that were made of earlier entries and wait for the store.
    var outboxBytes = 0
    /// Bytes of artifacts in memory that wait.
    var uploadBytes = 0
    /// The number of the last call.
    private(set) var ordinal = 0
    private(set) var dropped = 0
    private var gaps: [String: Gap] = [:]

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    var total: Int { bytes + outboxBytes + uploadBytes }

    mutating func nextOrdinal() -> Int {
        ordinal += 1
        return ordinal
    }

    /// False when there was no room.
    mutating func add(_ run: String, at time: Int64, _ what: Entry.What) -> Bool {
        let entry = Entry(run: run, time: time, ordinal: ordinal + 1, what: what)
        let size = what.size
        if case .metrics(let values, let step) = what {
            guard total + size <= bytesMax else {
                var gap = gaps[run] ?? Gap(first: step, last: step, count: 0)
                if let step {
                    gap.first = min(gap.first ?? step, step)
                    gap.last = max(gap.last ?? step, step)
                }
                gap.count += values.count
                gaps[run] = gap
                dropped += values.count
                return false
            }
        } else if total + size > 2 * bytesMax {
            dropped += 1
            return false
        }
        entries.append(entry)
        bytes += size
        ordinal += 1
        return true
    }

    /// All that has gathered. What was dropped meanwhile is said once there is room again.
    mutating func take(at time: Int64) -> [Entry] {
        if !gaps.isEmpty, total < bytesMax / 2 {
            for (run, gap) in gaps {
                var fields: [(String, Int)] = [("n", gap.count)]
                if let first = gap.first, let last = gap.last { fields += [("first", first), ("last", last)] }
                _ = add(run, at: time, .gap(fields))
            }
            gaps = [:]
        }
        defer {
            entries = []
            bytes = 0
        }
        return entries
    }

    mutating func drop(_ count: Int) { dropped += count }
}
