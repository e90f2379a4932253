import Glibc
import MartletClient
import MartletEngine

/// What this process and its surroundings say about themselves.
enum Machine {
    static let environment: [String: String] = {
        var found: [String: String] = [:]
        var at = Glibc.environ
        while let entry = at.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                found[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            at += 1
        }
        return found
    }()

    static var isQuiet: Bool { environment["MARTLET_QUIET"].map { !["", "0", "false"].contains($0) } ?? false }
    static var token: String? { environment["MARTLET_TOKEN"].flatMap { $0.isEmpty ? nil : $0 } }
    static var user: String? { environment["USER"] ?? environment["LOGNAME"] }
    static var program: String? { CommandLine.arguments.first }

    static var workingFolder: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard let path = getcwd(&buffer, buffer.count) else { return "/" }
        return String(cString: path)
    }

    static var standardStore: String {
        StorePlace.standard(environment: environment, workingFolder: workingFolder)
    }

    /// What is said, else `MARTLET_TRACKING_URI`, else what the `martlet` command would take.
    static func place(_ uri: String?) throws(ClientFailure) -> StorePlace {
        let given = uri ?? environment["MARTLET_TRACKING_URI"]
        return try StorePlace.find(
            given: given.flatMap { $0.isEmpty ? nil : $0 }, config: UserFiles(environment: environment),
            environment: environment, workingFolder: workingFolder)
    }

    static func writeError(_ text: String) {
        _ = text.withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// The last words of a program, which no limit holds back.
    static func say(_ sentence: String, _ courier: Courier) {
        if let notice = courier.settings.notice {
            notice(sentence)
        } else if !isQuiet {
            writeError("martlet: \(sentence)\n")
        }
    }
}

/// Files that are logged.
enum LocalFiles {
    enum Kind { case file, folder }

    static func kind(of path: String) -> Kind? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        switch facts.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return nil
        }
    }

    /// The file itself under the name given, else under its own; of a folder all that is beneath it.
    static func found(at path: String, as name: String?) -> [(path: String, name: String, size: Int64)] {
        let own = path.split(separator: "/").last.map(String.init) ?? path
        switch kind(of: path) {
        case nil: return []
        case .file: return [(path, name ?? own, Disk.size(path) ?? 0)]
        case .folder:
            return Disk.files(beneath: path).map {
                ("\(path)/\($0)", (name ?? own) + "/" + $0, Disk.size("\(path)/\($0)") ?? 0)
            }
        }
    }

    /// Adds to a file; the first time it is made anew, and the folders above it.
    static func append(_ bytes: [UInt8], to path: String, isFirst: Bool) -> Bool {
        if isFirst { return write(bytes, to: path) }
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return (try? bytes.withUnsafeBytes { try Disk.write($0, to: file, path) }) != nil
    }

    /// Makes the file and the folders above it.
    static func write(_ bytes: [UInt8], to path: String) -> Bool {
        do throws(ClientFailure) {
            if let folder = Disk.parent(of: path) { try Disk.makeFolder(folder) }
            try Disk.replace(path, with: bytes)
            return true
        } catch {
            return false
        }
    }
}

/// A thread of its own for work that waits, so that none of the shared pool's is held.
enum Aside {
    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            start { continuation.resume(returning: body()) }
        }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let made = pthread_create(
            &thread, nil,
            { raw in
                if let raw { Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        guard made == 0 else { return work.takeRetainedValue().body() }
        pthread_detach(thread)
    }
}
