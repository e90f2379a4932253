import MartletCLI
import MartletServer
import Synchronization

/// Catches what a server would have been started with.
enum Served {
    static func options(_ line: String, environment: [String: String]) async throws -> ServerSettings? {
        let box = Box()
        let terminal = RecordedTerminal(environment: environment)
        var world = World.system(terminal)
        world.startServer = { options, _ in
            box.value.withLock { $0 = options }
            return .good
        }
        _ = await CLI.program(world).run(line.split(separator: " ").map(String.init), in: terminal)
        return box.value.withLock { $0 }
    }

    private final class Box: Sendable {
        let value = Mutex<ServerSettings?>(nil)
    }
}
