import Synchronization

/// Keys of metrics, params and tags, and the numbers that stand for them: shared by every thread of the process.
///
/// An id is never changed and never given twice, so what is here stays true. Only committed names may come in: a
/// transaction keeps what it made or looked up to itself and publishes after its COMMIT.
final class NameTable: Sendable {
    private struct Names {
        var ids: [String: Int64] = [:]
        var texts: [Int64: String] = [:]
        /// Lists that were looked up lately: a run logs one list of names over and over, and a thousand names are
        /// compared in a quarter of the time in which they are hashed.
        var lists: [ListPlace: List] = [:]
    }

    struct List {
        var names: [String]
        var ids: [Int64]
    }

    private struct ListPlace: Hashable {
        var first: String
        var count: Int
    }

    /// Shorter lists are looked up as fast as they are compared.
    private static let listMin = 8
    private static let listsMax = 64

    private let names = Mutex(Names())
    /// What the points of the store keep in memory, which goes wherever the names go.
    let points = PointMemory()

    func id(of text: String) -> Int64? { names.withLock { $0.ids[text] } }

    func text(of id: Int64) -> String? { names.withLock { $0.texts[id] } }

    /// The ids of a list of names, nil while one is new to the store. The names come back as a list that is the same
    /// array each time.
    func list(_ wanted: [String]) -> List? {
        guard let first = wanted.first, wanted.count >= Self.listMin else { return found(wanted) }
        let place = ListPlace(first: first, count: wanted.count)
        // Compared outside of the lock.
        if let known = names.withLock({ $0.lists[place] }), known.names == wanted { return known }
        guard let found = found(wanted) else { return nil }
        names.withLock { names in
            if names.lists.count >= Self.listsMax { names.lists = [:] }
            names.lists[place] = found
        }
        return found
    }

    private func found(_ wanted: [String]) -> List? {
        names.withLock { names in
            var ids: [Int64] = []
            ids.reserveCapacity(wanted.count)
            for name in wanted {
                guard let id = names.ids[name] else { return nil }
                ids.append(id)
            }
            return List(names: wanted, ids: ids)
        }
    }

    func texts(of ids: some Sequence<Int64>) -> [String?] { names.withLock { names in ids.map { names.texts[$0] } } }

    func publish(_ fresh: [(text: String, id: Int64)]) {
        guard !fresh.isEmpty else { return }
        names.withLock { names in
            for (text, id) in fresh {
                names.ids[text] = id
                names.texts[id] = text
            }
        }
    }
}
