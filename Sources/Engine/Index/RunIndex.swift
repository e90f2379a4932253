import MartletDomain
import MartletSearch
package import MartletStorage
import Synchronization

// The index: the runs of an experiment in columns, in memory.
//
// A search looks at one field of every run and then shows a page of them. Documents are the wrong shape for that, so
// what queries ask for is kept by column: rows in order of key, numbers as doubles, texts as codes of a dictionary in
// which each distinct text stands once. The index is a cache and nothing more: it is built on first use, holds only the
// columns that some query named, follows the store's changes, forgets what was least lately used, and may be thrown
// away at any time. What a search means is said by `RunDocumentView` and the Search room; a test holds the two together.

/// One table for each experiment that was searched.
///
/// A search copies a table out (a handful of references) and works on its copy, so searches run beside one another and
/// never hold up a writer. Following the store and loading a column happen under the table's `work` lock alone, which
/// only searches wait for that need the same. Whoever holds it has a reader already, so nobody waits for both.
package final class RunIndex: Sendable {
    private final class Slot: Sendable {
        let current = Mutex<RunTable?>(nil)
        let work = Mutex<Void>(())
        /// When each column was last asked for, and the table itself.
        let uses = Mutex<[ColumnKey: UInt64]>([:])
        let lastUse = Atomic<UInt64>(0)
        let bytes = Atomic<Int>(0)
    }

    private let store: any Store
    private let memoryBudget: Int
    private let slots = Mutex<[ExperimentID: Slot]>([:])
    private let ticks = Atomic<UInt64>(0)

    package init(store: any Store, memoryBudget: Int = 256 << 20) {
        (self.store, self.memoryBudget) = (store, memoryBudget)
    }

    /// About what the index holds.
    package var bytes: Int {
        slots.withLock { Array($0.values) }.reduce(0) { $0 + $1.bytes.load(ordering: .relaxed) }
    }

    /// Drops everything; the next search builds what it needs.
    package func removeAll() { slots.withLock { $0.removeAll() } }

    /// An experiment's table, not older than `generation`, with these columns.
    ///
    /// `generation` was asked for before the reader's transaction began: a table of the same generation has missed
    /// nothing that was committed before the search.
    func table(
        of experiment: ExperimentID, with keys: [ColumnKey], _ view: SearchView
    ) throws(Refusal) -> RunTable {
        let slot = slots.withLock { slots in
            if let slot = slots[experiment] { return slot }
            let slot = Slot()
            slots[experiment] = slot
            return slot
        }
        let tick = ticks.add(1, ordering: .relaxed).newValue
        slot.lastUse.store(tick, ordering: .relaxed)
        slot.uses.withLock { uses in for key in keys { uses[key] = tick } }
        if let table = slot.current.withLock({ $0 }), table.generation == view.generation,
            keys.allSatisfy({ table.columns.has($0) })
        {
            return table
        }
        return try slot.work.withLock { _ throws(Refusal) in try bring(slot, experiment, keys, view) }
    }

    /// Under the slot's `work` lock.
    private func bring(
        _ slot: Slot, _ experiment: ExperimentID, _ keys: [ColumnKey], _ view: SearchView
    ) throws(Refusal) -> RunTable {
        let here = try view.reader.cursor()
        // Taken out, so that nobody else holds the arrays that are about to change in place.
        var known = slot.current.withLock { (current) -> RunTable? in
            if let table = current, table.generation == view.generation || table.isUpToDate(with: here) {
                return table
            }
            let table = current
            current = nil
            return table
        }
        var isNew = false
        if var table = known, !table.isUpToDate(with: here), table.generation != view.generation {
            known = nil
            if try table.follow(view.changes(since: table.cursor), view.reader) {
                table.generation = view.generation
                known = table
                isNew = true
            }
        }
        var table: RunTable
        if let known {
            table = known
        } else {
            table = try RunTable(experiment, view.reader, generation: view.generation, view.deadline)
            isNew = true
        }
        if isNew { publish(table, in: slot) }
        let missing = Set(keys).filter { !table.columns.has($0) }
        guard !missing.isEmpty else { return table }
        let columns = try table.newColumns(Array(missing), view.reader, view.deadline)
        table.columns.merge(columns)
        // A reader that is older than the table fills columns for its own search alone.
        if here.revision >= table.cursor.revision, here.sequence >= table.cursor.sequence { publish(table, in: slot) }
        return table
    }

    private func publish(_ table: RunTable, in slot: Slot) {
        slot.bytes.store(table.bytes, ordering: .relaxed)
        slot.current.withLock { $0 = table }
    }

    /// Drops the columns that were least lately asked for, and then whole tables, until the index fits its budget.
    func trim() {
        guard bytes > memoryBudget else { return }
        let all = slots.withLock { Array($0) }
        var columns: [(tick: UInt64, slot: Slot, key: ColumnKey)] = []
        for (_, slot) in all {
            for (key, tick) in slot.uses.withLock({ $0 }) { columns.append((tick, slot, key)) }
        }
        columns.sort { $0.tick < $1.tick }
        for (_, slot, key) in columns {
            guard bytes > memoryBudget else { return }
            // A slot that is being worked on is in use; the next search trims again.
            _ = slot.work.withLockIfAvailable { _ in
                let table = slot.current.withLock { current in
                    current?.columns.drop(key)
                    return current
                }
                slot.uses.withLock { $0[key] = nil }
                slot.bytes.store(table?.bytes ?? 0, ordering: .relaxed)
            }
        }
        for (experiment, _) in all.sorted(by: {
            $0.value.lastUse.load(ordering: .relaxed) < $1.value.lastUse.load(ordering: .relaxed)
        }) {
            guard bytes > memoryBudget else { return }
            slots.withLock { $0[experiment] = nil }
        }
    }
}

/// What one search sees of the store: a reader, the generation before it, and changes read once for all tables.
final class SearchView {
    let reader: any StoreReader
    let generation: Int64
    let deadline: SearchDeadline
    private var pulled: [String: PulledChanges] = [:]

    init(_ reader: any StoreReader, generation: Int64, deadline: SearchDeadline) {
        (self.reader, self.generation, self.deadline) = (reader, generation, deadline)
    }

    func changes(since cursor: ChangeCursor) throws(Refusal) -> PulledChanges {
        if let known = pulled[cursor.text] { return known }
        let changes = try PulledChanges(since: cursor, reader)
        pulled[cursor.text] = changes
        return changes
    }
}
