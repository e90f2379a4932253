import MartletClient
import MartletDomain
import MartletObservability
import MartletStorage
import MartletStorageSQLite
import Synchronization

/// The way to one store, opened when it is first needed. Which store a program means, and how it is reached, are rules
/// that it shares with the command line.
final class Connection: Sendable {
    let place: StorePlace
    private let token: String?
    private let opened = Mutex<(any Backend)?>(nil)

    init(_ place: StorePlace, token: String? = nil) { (self.place, self.token) = (place, token) }

    /// Throws while it cannot be opened, and may be asked again.
    func backend(creates: Bool) throws(ClientFailure) -> any Backend {
        let result = opened.withLock { opened in
            if let opened { return Result<any Backend, ClientFailure>.success(opened) }
            let result = Result { () throws(ClientFailure) in try open(creates: creates) }
            if case .success(let backend) = result { opened = backend }
            return result
        }
        return try result.get()
    }

    private func open(creates: Bool) throws(ClientFailure) -> any Backend {
        switch place {
        case .server(let address):
            let token = token ?? Machine.token ?? UserFiles(environment: Machine.environment).token(for: address)
            return RemoteBackend(address: address, token: token, version: BuildInfo.version)
        case .folder(let path):
            guard creates || LocalFiles.kind(of: path) == .folder else { throw ClientFailure.noStore(path) }
            var options = SQLiteStore.Options()
            options.cacheFolder = StorePlace.cacheFolder(Machine.environment)
            // A training program may keep the folder open for days.
            options.compactsByItself = true
            let store: any Store
            do throws(StorageError) { store = try SQLiteStore.open(folder: path, options: options) } catch {
                throw ClientFailure(error)
            }
            return try LocalBackend(folder: path, store: store, version: BuildInfo.version, log: .silent)
        }
    }

    func close() {
        opened.withLock { opened in
            opened?.close()
            opened = nil
        }
    }
}
