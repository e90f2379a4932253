import MartletDomain
import MartletStorage

/// What every run of an experiment has, in columns and in order of key. A purged run leaves its row behind, marked.
struct RunRows: Sendable {
    private(set) var keys: [RunKey] = []
    private(set) var ids: [RunID] = []
    private(set) var lives: [UInt8] = []
    private(set) var states: [UInt8] = []
    private(set) var numbers: [Int32] = []
    private(set) var starts: [Int64] = []
    /// `none` for a run that has not ended.
    private(set) var ends: [Int64] = []
    private(set) var seen: [Int64] = []
    private(set) var created: [Int64] = []
    /// The key of the run above, 0 for none.
    private(set) var parents: [Int64] = []
    /// The runs whose points a fork begins with, and theirs.
    private(set) var forks: [Int: [RunKey]] = [:]

    static let none = Int64.min
    static let gone: UInt8 = 255

    var count: Int { keys.count }
    func id(of row: Int) -> RunID { ids[row] }
    func key(of row: Int) -> RunKey { keys[row] }
    func state(of row: Int) -> RunState { RunState(rawValue: states[row]) ?? .finished }

    func row(of key: RunKey) -> Int? {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low < keys.count && keys[low] == key ? low : nil
    }

    /// Writes a run into its row, a new one behind all others; nil when it would have to go between them.
    mutating func put(_ run: Run, ancestors: [RunKey]) -> Int? {
        if let row = row(of: run.key) {
            set(row, run, ancestors)
            return row
        }
        if let last = keys.last, run.key < last { return nil }
        keys.append(run.key)
        ids.append(run.id)
        lives.append(0)
        states.append(0)
        numbers.append(0)
        starts.append(0)
        ends.append(0)
        seen.append(0)
        created.append(0)
        parents.append(0)
        set(keys.count - 1, run, ancestors)
        return keys.count - 1
    }

    private mutating func set(_ row: Int, _ run: Run, _ ancestors: [RunKey]) {
        ids[row] = run.id
        lives[row] = run.life.rawValue
        states[row] = run.status.state.rawValue
        numbers[row] = Int32(truncatingIfNeeded: run.number)
        starts[row] = run.start.micros
        ends[row] = run.end?.micros ?? RunRows.none
        seen[row] = run.seen.micros
        created[row] = run.created.micros
        parents[row] = run.parent?.raw ?? 0
        forks[row] = ancestors.isEmpty ? nil : ancestors
    }

    mutating func bury(_ row: Int) { lives[row] = RunRows.gone }

    func rows(living wanted: LifeChoice) -> Bits {
        // Which of 256, once: a question to another room costs more than the look at a row.
        let isWanted = (UInt8.min...UInt8.max).map { UInt64(wanted.includes($0) ? 1 : 0) }
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        for row in 0..<count { words[row >> 6] |= isWanted[Int(lives[row])] &<< UInt64(row & 63) }
        return Bits(words: words, count: count)
    }

    var bytes: Int { count * (8 + 16 + 1 + 1 + 4 + 5 * 8) }
}

extension LifeChoice {
    func includes(_ life: UInt8) -> Bool {
        switch self {
        case .active: life == Life.active.rawValue
        case .deleted: life == Life.deleted.rawValue || life == Life.deletedWithParent.rawValue
        case .all: life != RunRows.gone
        }
    }
}

extension StoreReader {
    /// The runs whose points this one begins with, nearest first.
    func forkAncestors(of run: Run) throws(StorageError) -> [RunKey] {
        var ancestors: [RunKey] = []
        var next = run.fork?.run
        while let key = next, !ancestors.contains(key) {
            ancestors.append(key)
            next = try self.run(key)?.fork?.run
        }
        return ancestors
    }
}
