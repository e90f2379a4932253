import Foundation
import MartletObservability
import MartletServer
import Synchronization

@testable import Martlet

/// A folder of its own, and what was said while a test used it.
final class Bench: Sendable {
    let folder: String
    private let said = Mutex<[String]>([])

    init() {
        folder = NSTemporaryDirectory() + "martlet-sdk-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var sentences: [String] { said.withLock { $0 } }

    func settings(_ change: (inout LoggingSettings) -> Void = { _ in }) -> LoggingSettings {
        var settings = LoggingSettings()
        settings.batchSeconds = 0.02
        settings.unsentStore = folder + "/unsent"
        settings.notice = { [self] sentence in said.withLock { $0.append(sentence) } }
        change(&settings)
        return settings
    }

    /// A store in the folder that nothing has opened.
    func store(_ name: String = "store") -> String { folder + "/" + name }
}

/// A real server on a port of this machine.
final class Served: Sendable {
    let server: MartletServer
    var address: String { server.addresses[0] }
    var port: Int { Int(address.split(separator: ":").last ?? "") ?? 0 }

    init(_ folder: String, port: Int = 0, change: (inout ServerSettings) -> Void = { _ in }) throws {
        var settings = ServerSettings(folder: folder)
        settings.port = port
        settings.logLevel = .error
        change(&settings)
        server = try MartletServer.start(settings)
    }

    func stop() { server.stop(deadlineSeconds: 2) }
}

/// Where a run may go: both must be the same to who logs.
enum Place: String, CaseIterable, Sendable { case folder, server }

/// Gives the closure the address of a fresh store, and closes it afterwards.
func withStore(_ place: Place, _ body: (String, Bench) async throws -> Void) async throws {
    let bench = Bench()
    switch place {
    case .folder:
        let uri = bench.store()
        try await body(uri, bench)
        Martlet.closeStore(uri)
    case .server:
        let served = try Served(bench.store())
        try await body(served.address, bench)
        Martlet.closeStore(served.address)
        served.stop()
    }
}
