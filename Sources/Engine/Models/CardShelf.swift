import MartletDomain
import MartletStorage
import Synchronization

/// The cards of one kind, read once and kept as what they mean: a search looks at all of them, and to decode ten thousand
/// each time would take longer than to look.
///
/// A cache that follows the store's revision, whoever writes. Shelves are kept owner by owner; over the budget, those go
/// that were least lately used.
final class CardShelf<Value: Sendable>: Sendable {
    private struct Shelf {
        /// In order of id, which is the order in which they were made.
        var ids: [Int64] = []
        var values: [Value] = []
        var bytes: [Int] = []
        var revision: Int64 = 0
        var lastUse: UInt64 = 0
        var size: Int { bytes.reduce(0, +) }
    }

    private struct State {
        var shelves: [String?: Shelf] = [:]
        var ticks: UInt64 = 0
    }

    private let kind: String
    private let memoryBudget: Int
    /// Whether a shelf that is over the budget by itself is kept all the same.
    private let keepsOversized: Bool
    /// About what a decoded card takes.
    private let size: @Sendable (Card, Value) -> Int
    private let decode: @Sendable (Card) throws(Refusal) -> Value
    /// Held while a shelf is brought up to date. Who waits for it has a reader already, and so has who holds it.
    private let state = Mutex(State())

    init(
        _ kind: String, memoryBudget: Int = 64 << 20, keepsOversized: Bool = true,
        // A decoded document takes about three times its text, and the value itself.
        size: @escaping @Sendable (Card, Value) -> Int = { card, _ in card.data.utf8.count * 3 + 256 },
        decode: @escaping @Sendable (Card) throws(Refusal) -> Value
    ) {
        (self.kind, self.memoryBudget, self.keepsOversized) = (kind, memoryBudget, keepsOversized)
        (self.size, self.decode) = (size, decode)
    }

    /// All of them, or those of one owner, as this reader sees them or newer.
    func all(owner: String? = nil, _ reader: any StoreReader) throws(Refusal) -> [Value] {
        let revision = try reader.cursor().revision
        let result = state.withLock { state -> Result<[Value], Refusal> in
            // Taken out, so that what is appended to is not copied first; after a failure it is read anew.
            var shelf = state.shelves.removeValue(forKey: owner) ?? Shelf()
            do throws(Refusal) {
                if shelf.revision < revision { try bring(&shelf, to: revision, owner, reader) }
            } catch {
                return .failure(error)
            }
            state.ticks += 1
            shelf.lastUse = state.ticks
            guard keepsOversized || shelf.size <= memoryBudget else { return .success(shelf.values) }
            state.shelves[owner] = shelf
            trim(&state, keeping: owner)
            return .success(shelf.values)
        }
        return try result.get()
    }

    private func bring(
        _ shelf: inout Shelf, to revision: Int64, _ owner: String?, _ reader: any StoreReader
    ) throws(Refusal) {
        for card in try reader.cards(kind, owner: owner, changedAfter: shelf.revision) {
            try put(card, on: &shelf)
        }
        // One that was removed is not told of; that there are fewer is.
        if try reader.cardCount(kind, owner: owner) != shelf.ids.count {
            shelf = Shelf()
            for card in try reader.cards(kind, in: nil, owner: owner, after: nil, limit: .max) {
                try put(card, on: &shelf)
            }
        }
        shelf.revision = revision
    }

    private func put(_ card: Card, on shelf: inout Shelf) throws(Refusal) {
        let value = try decode(card)
        let bytes = size(card, value)
        guard let last = shelf.ids.last, last >= card.id else {
            shelf.ids.append(card.id)
            shelf.values.append(value)
            shelf.bytes.append(bytes)
            return
        }
        var (low, high) = (0, shelf.ids.count)
        while low < high {
            let middle = (low + high) / 2
            if shelf.ids[middle] < card.id { low = middle + 1 } else { high = middle }
        }
        if shelf.ids[low] == card.id {
            shelf.values[low] = value
            shelf.bytes[low] = bytes
        } else {
            shelf.ids.insert(card.id, at: low)
            shelf.values.insert(value, at: low)
            shelf.bytes.insert(bytes, at: low)
        }
    }

    private func trim(_ state: inout State, keeping owner: String?) {
        guard state.shelves.count > 1 else { return }
        var total = state.shelves.values.reduce(0) { $0 + $1.size }
        while total > memoryBudget, state.shelves.count > 1,
            let oldest = state.shelves.filter({ $0.key != owner }).min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            total -= oldest.value.size
            state.shelves[oldest.key] = nil
        }
    }
}
