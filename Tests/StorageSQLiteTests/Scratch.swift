import Foundation
import MartletDomain
import MartletStorage
import Testing

@testable import MartletStorageSQLite

/// A folder that goes with the test.
func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-sqlite-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

/// An empty store in a folder of its own.
func withStore<T>(
    _ options: SQLiteStore.Options = .init(), _ body: (SQLiteStore) throws -> T
) throws -> T {
    try withFolder { folder in
        let store = try SQLiteStore.open(folder: folder, options: options)
        defer { store.close() }
        return try body(store)
    }
}

let noon = Timestamp(iso: "2026-01-15T12:00:00Z")!

/// The same numbers for the same seed, on every machine.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

extension Run {
    static func draft(
        _ number: Int, name: String = "", id: RunID = .make(), experiment: ExperimentID = .standard,
        parent: RunKey? = nil, status: Status = .running
    ) -> Run {
        Run(
            key: RunKey(0), id: id, project: .standard, experiment: experiment, number: number, parent: parent,
            name: name, status: status, start: noon, seen: noon, created: noon)
    }
}

/// The refusal that a body ends with.
func refusal(_ body: () throws -> Void) -> StorageError? {
    do {
        try body()
        return nil
    } catch let error as StorageError {
        return error
    } catch {
        Issue.record("not a refusal of the store: \(error)")
        return nil
    }
}

extension Store {
    /// `read` for expectations, whose macros throw anything.
    func look<T>(_ body: (any StoreReader) throws -> T) throws -> T {
        var outcome: Result<T, any Error>?
        try read { view throws(StorageError) in outcome = Result { try body(view) } }
        return try #require(outcome).get()
    }
}

extension SQLiteStore {
    /// Keeps the writer's thread busy until the body is through, so that what the body submits becomes one group.
    func whileWriterIsBusy(_ body: () throws -> Void) rethrows {
        let started = DispatchSemaphore(value: 0)
        let go = DispatchSemaphore(value: 0)
        submit(
            .live, bytes: 0,
            { _ throws(StorageError) in
                started.signal()
                go.wait()
            }, then: { _ in })
        started.wait()
        defer { go.signal() }
        try body()
    }
}

/// What callbacks brought, in their order.
final class Outcomes<T: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private let bell = DispatchSemaphore(value: 0)
    private var kept: [T] = []

    func add(_ value: T) {
        lock.withLock { kept.append(value) }
        bell.signal()
    }

    /// The first so many, or fewer when they do not come in time.
    func wait(for count: Int, seconds: Double = 20) -> [T] {
        for _ in 0..<count where bell.wait(timeout: .now() + seconds) == .timedOut { break }
        return lock.withLock { kept }
    }
}

/// A folder that can be made read-only: by a mount for those whom rights do not bind, by its rights for the others.
struct LockableFolder {
    let path: String
    private let disk: SmallDisk?
    static let isAvailable = SmallDisk.isAvailable || geteuid() != 0

    init() throws {
        disk = SmallDisk.isAvailable ? try SmallDisk(kilobytes: 4000) : nil
        path = disk?.path ?? FileManager.default.temporaryDirectory.appending(path: "martlet-locked-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func makeReadOnly() throws {
        if let disk { try disk.makeReadOnly() } else { chmod(path, 0o555) }
    }

    func remove() {
        if let disk { return disk.unmount() }
        chmod(path, 0o755)
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// Runs threads and waits for them all.
func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    DispatchQueue.concurrentPerform(iterations: count, execute: body)
}

/// A small file system of its own, for tests of full and read-only disks. Needs the right to mount.
struct SmallDisk {
    let path: String
    static let isAvailable: Bool = {
        guard geteuid() == 0, let disk = try? SmallDisk(kilobytes: 64) else { return false }
        disk.unmount()
        return true
    }()

    struct Failure: Error {}

    init(kilobytes: Int) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "martlet-disk-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard Self.command("/bin/mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", path) else {
            try? FileManager.default.removeItem(atPath: path)
            throw Failure()
        }
    }

    func makeReadOnly() throws {
        guard Self.command("/bin/mount", "-o", "remount,ro", path) else { throw Failure() }
    }

    func unmount() {
        _ = Self.command("/bin/umount", path)
        try? FileManager.default.removeItem(atPath: path)
    }

    func grow(kilobytes: Int) throws {
        guard Self.command("/bin/mount", "-o", "remount,size=\(kilobytes)k", path) else { throw Failure() }
    }

    private static func command(_ program: String, _ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
