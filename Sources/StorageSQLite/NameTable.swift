import Synchronization

/// Keys of metrics, params and tags, and the numbers that stand for them: shared by every thread of the process.
///
/// An id is never changed and never given twice, so what is here stays true. Only committed names may come in: a
/// transaction keeps what it made or looked up to itself and publishes after its COMMIT.
final class NameTable: Sendable {
    private struct Names {
        var ids: [String: Int64] = [:]
        var texts: [Int64: String] = [:]
    }
    private let names = Mutex(Names())
    /// What the points of the store keep in memory, which goes wherever the names go.
    let points = PointMemory()

    func id(of text: String) -> Int64? { names.withLock { $0.ids[text] } }

    func text(of id: Int64) -> String? { names.withLock { $0.texts[id] } }

    /// Under one lock: nil for each that is not known yet. By index, because the texts lie in something larger, which
    /// is not to be taken out of its place for them.
    func ids(count: Int, of text: (Int) -> String) -> [Int64?] {
        names.withLock { names in (0..<count).map { names.ids[text($0)] } }
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
