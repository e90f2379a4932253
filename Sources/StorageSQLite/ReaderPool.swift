import MartletDomain
import MartletStorage
import MartletThreads

/// The connections that readers take turns with: made when they are first needed, never more than so many.
///
/// A read inside a read takes a second connection; with all of them so nested nobody would ever go on, so a closure
/// that reads uses the view that it was given.
final class ReaderPool: Sendable {
    private struct State {
        /// In the pool, each touched only by whoever took it out.
        var idle: [Connection] = []
        var count = 0
        var isClosed = false
    }

    private enum Turn {
        case use(Connection)
        case open
        case closed
    }

    private let state = Monitor(State())
    private let countMax: Int
    private let path: String
    private let mode: Connection.Mode

    init(path: String, mode: Connection.Mode, countMax: Int) {
        (self.path, self.mode, self.countMax) = (path, mode, max(1, countMax))
    }

    /// One consistent view: all that was committed when its first row was read, and nothing later.
    func read<T>(
        names: NameTable, _ body: (SQLiteView) throws(StorageError) -> T
    ) throws(StorageError) -> T {
        let connection = try take()
        defer { put(connection) }
        try connection.run("BEGIN")
        // Nothing was written: going back is as good as COMMIT, and cannot fail.
        defer { connection.rollback() }
        return try body(SQLiteView(connection, names: names))
    }

    func take() throws(StorageError) -> Connection {
        let countMax = self.countMax
        let turn = state.wait { (state: inout State) -> Turn? in
            if state.isClosed { return .closed }
            if let connection = state.idle.popLast() { return .use(connection) }
            guard state.count < countMax else { return nil }
            state.count += 1
            return .open
        }
        switch turn {
        case .use(let connection): return connection
        case .open:
            do throws(StorageError) {
                return try Connection(path: path, mode: mode)
            } catch {
                state.change { $0.count -= 1 }
                throw error
            }
        case .closed, nil: throw .closed
        }
    }

    func put(_ connection: Connection) {
        let isKept = state.change { state in
            if state.isClosed || connection.failure != nil {
                state.count -= 1
                return false
            }
            state.idle.append(connection)
            return true
        }
        if !isKept { connection.close() }
    }

    /// Those that nobody has taken give up the pages they keep.
    func releasePages() {
        state.change { state in for connection in state.idle { connection.releasePages() } }
    }

    /// Those that are out are closed when they come back.
    func close() {
        let idle = state.change { state in
            defer { state.idle = [] }
            state.isClosed = true
            state.count -= state.idle.count
            return state.idle
        }
        for connection in idle { connection.close() }
    }
}

extension StorageError {
    static let closed = StorageError(.closed, "The store is closed.", remedy: "Open it again.")
}
