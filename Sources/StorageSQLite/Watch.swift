import MartletDomain
import MartletStorage
import MartletThreads

/// One connection that only asks whether anything was committed, by any connection of any process: 4 µs.
final class Watch: Sendable {
    private struct State {
        var connection: Connection?
        var isClosed = false
        /// One more each time it is opened, as the number below begins anew with a connection.
        var epoch: Int64 = 0
    }
    private let state = Monitor(State())
    private let path: String
    private let mode: Connection.Mode

    init(path: String, mode: Connection.Mode) { (self.path, self.mode) = (path, mode) }

    func generation() throws(StorageError) -> Int64 {
        let (path, mode) = (path, mode)
        return try state.change { state -> Result<Int64, StorageError> in
            do throws(StorageError) {
                if state.isClosed { throw StorageError.closed }
                let connection: Connection
                if let open = state.connection, open.failure == nil {
                    connection = open
                } else {
                    connection = try Connection(path: path, mode: mode)
                    state.connection = connection
                    state.epoch += 1
                }
                return .success(state.epoch << 32 | (try connection.integer("PRAGMA data_version") ?? 0))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    func close() {
        state.change { state in
            state.isClosed = true
            state.connection?.close()
            state.connection = nil
        }
    }
}
