import MartletDomain
import MartletSeries
import MartletStorage

/// Points of a run that are in the journal and not settled yet, by series, in order of arrival.
struct PendingPoints {
    private(set) var order: [Pack.Key] = []
    private var columns: [SeriesPoints] = []
    private var places: [Pack.Key: Int] = [:]
    /// The points of the series that has the most.
    private(set) var longest = 0

    var isEmpty: Bool { order.isEmpty }

    subscript(key: Pack.Key) -> SeriesPoints? { places[key].map { columns[$0] } }

    /// Takes from a journal row the points of the series that are asked for.
    mutating func take(_ batch: JournalBatch, where isWanted: (Pack.Key) -> Bool) {
        // A run mostly logs the same metrics in the same order, so the next one is where it was in the row before.
        var guess = 0
        for head in batch.heads {
            let key = Pack.Key(nameID: head.nameID, laneID: head.laneID)
            guard isWanted(key) else { continue }
            let place: Int
            if guess < order.count, order[guess] == key {
                place = guess
            } else if let known = places[key] {
                place = known
            } else {
                place = order.count
                places[key] = place
                order.append(key)
                columns.append(SeriesPoints())
            }
            if head.range.count == 1 {
                columns[place].append(batch.points[head.range.lowerBound])
            } else {
                columns[place].append(batch.points, in: head.range)
            }
            longest = max(longest, columns[place].count)
            guess = place + 1
        }
    }
}

/// What series come to as journal rows are read, their points not kept: enough as long as each point of a series comes
/// after all before it, which is what nearly every writer does.
private struct RisingEntries {
    private(set) var entries: [MetricEntry]
    /// Series with a point that came late or twice. What stands of them in `entries` is not to be used.
    private(set) var tangled: Set<Pack.Key> = []
    /// Once there are so many that looking through all of them takes longer.
    private var places: [Pack.Key: Int] = [:]
    private static let fewMax = 16

    init(_ settled: [MetricEntry]) {
        entries = settled
        if entries.count > Self.fewMax { makePlaces() }
    }

    private mutating func makePlaces() {
        places = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.key, $0) })
    }

    private func place(of key: Pack.Key) -> Int? {
        entries.count > Self.fewMax ? places[key] : entries.firstIndex { $0.key == key }
    }

    private mutating func add(_ entry: MetricEntry) {
        entries.append(entry)
        if entries.count > Self.fewMax + 1 {
            places[entry.key] = entries.count - 1
        } else if entries.count > Self.fewMax {
            makePlaces()
        }
    }

    mutating func take(_ batch: JournalBatch, row seq: Int64, where isWanted: (Int64) -> Bool) {
        // As in `PendingPoints`: the next series is mostly the one after.
        var guess = 0
        for head in batch.heads where isWanted(head.nameID) {
            let key = Pack.Key(nameID: head.nameID, laneID: head.laneID)
            var range = head.range
            let place: Int
            if guess < entries.count, entries[guess].key == key {
                place = guess
            } else if let known = self.place(of: key) {
                place = known
            } else {
                place = entries.count
                add(MetricEntry(key: key, upto: 0, batch.points[range.lowerBound]))
                range = range.lowerBound + 1..<range.upperBound
            }
            guess = place + 1
            guard seq > entries[place].upto else { continue }
            for index in range {
                let point = batch.points[index]
                if entries[place].mayHold(point) {
                    tangled.insert(key)
                    break
                }
                entries[place].add(point)
            }
        }
    }
}

extension PointRows {
    /// The points among these that are neither in the settled ones nor repeat one another, in order of arrival.
    ///
    /// In the usual case each comes after all before it, and nothing has to be read to know that it is new.
    func fresh(
        _ pending: SeriesPoints, of run: RunKey, _ key: Pack.Key, after entry: MetricEntry?
    ) throws(StorageError) -> SeriesPoints {
        guard !pending.isEmpty else { return pending }
        var (step, time) = (Int64.min, Int64.min)
        var isFirst = true
        if let entry { (step, time, isFirst) = (entry.last.step, entry.last.time, false) }
        var rises = true
        for index in 0..<pending.count {
            let (nextStep, nextTime) = (pending.steps[index], pending.times[index])
            if !isFirst && (nextStep < step || nextStep == step && nextTime <= time) {
                rises = false
                break
            }
            (step, time, isFirst) = (nextStep, nextTime, false)
        }
        if rises { return pending }
        var seen: Set<Point> = []
        if let entry {
            var suspects: Set<Int64> = []
            for index in 0..<pending.count where entry.mayHold(pending[index]) { suspects.insert(pending.steps[index]) }
            if let low = suspects.min(), let high = suspects.max() {
                let home = try home(of: run, key)
                let settled = try settledPoints(of: run, key, at: home, in: PointRange(from: low, to: high))
                for step in suspects {
                    var place = settled.firstPlace(atOrAfter: step)
                    while place < settled.count, settled.steps[place] == step {
                        seen.insert(settled[place])
                        place += 1
                    }
                }
            }
        }
        var fresh = SeriesPoints()
        for index in 0..<pending.count where seen.insert(pending[index]).inserted { fresh.append(pending[index]) }
        return fresh
    }

    /// What a series comes to with its pending points; nil when it has none at all.
    func joined(
        _ entry: MetricEntry?, _ pending: SeriesPoints?, of run: RunKey, _ key: Pack.Key
    ) throws(StorageError) -> MetricEntry? {
        guard let pending, !pending.isEmpty else { return entry }
        let fresh = try fresh(pending, of: run, key, after: entry)
        guard var joined = entry else { return MetricEntry(key: key, upto: 0, fresh) }
        for index in 0..<fresh.count { joined.add(fresh[index]) }
        return joined
    }

    /// Every series of a run by id, settled and pending, or those of some names.
    func entries(of run: RunKey, named names: Set<Int64>?) throws(StorageError) -> [MetricEntry] {
        let document = try settled(of: run, named: names)
        var rising = RisingEntries(document.entries.filter { names?.contains($0.key.nameID) ?? true })
        try eachJournalRow(of: run, after: 0) { (row, blob) throws(StorageError) in
            guard let batch = try decode(blob, row: row.seq, of: run) else { return }
            rising.take(batch, row: row.seq) { names?.contains($0) ?? true }
        }
        var entries = rising.entries
        guard !rising.tangled.isEmpty else { return entries }
        var pending = PendingPoints()
        try eachJournalRow(of: run, after: 0) { (row, blob) throws(StorageError) in
            guard let batch = try decode(blob, row: row.seq, of: run) else { return }
            pending.take(batch) { key in
                rising.tangled.contains(key) && row.seq > document[key]?.upto ?? 0
            }
        }
        for place in entries.indices where rising.tangled.contains(entries[place].key) {
            let key = entries[place].key
            if let joined = try joined(document[key], pending[key], of: run, key) { entries[place] = joined }
        }
        return entries
    }

    /// The run's document, or of a few names what it says of those, without decoding the rest.
    private func settled(of run: RunKey, named names: Set<Int64>?) throws(StorageError) -> MetricDocument {
        guard let names, names.count <= 16 else { return try document(of: run) }
        var document = MetricDocument()
        var found: [MetricEntry] = []
        try eachSettled(of: CollectionOfOne(run).enumerated(), named: names.sorted()) { found = $1 }
        document.put(found)
        return document
    }
}
