import Glibc
import MartletArtifacts
import MartletDomain
import Testing

/// A folder of a test's own, gone with it.
final class Scratch: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/martlet-artifacts-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("no folder for the test") }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    deinit { removeTree(path) }

    func write(_ bytes: [UInt8], to name: String) {
        let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        precondition(file >= 0 && bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } == bytes.count)
        close(file)
    }

    func write(_ text: String, to name: String) { write(Array(text.utf8), to: name) }

    func makeFolder(_ name: String) { precondition(mkdir(path + "/" + name, 0o755) == 0) }

    func exists(_ name: String) -> Bool { access(path + "/" + name, F_OK) == 0 }

    func setModified(_ name: String, _ time: Timestamp) {
        let seconds = Int(time.micros / 1_000_000)
        var times = [timespec](repeating: timespec(tv_sec: seconds, tv_nsec: 0), count: 2)
        precondition(utimensat(AT_FDCWD, path + "/" + name, &times, 0) == 0)
    }

    func names(_ folder: String) -> [String] {
        guard let stream = opendir(path + "/" + folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let start = UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \.d_name) ?? 19)
            let name = String(cString: start.assumingMemoryBound(to: CChar.self))
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

private func removeTree(_ path: String) {
    chmod(path, 0o755)
    if let stream = opendir(path) {
        while let entry = readdir(stream) {
            let start = UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \.d_name) ?? 19)
            let name = String(cString: start.assumingMemoryBound(to: CChar.self))
            guard name != ".", name != ".." else { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) {
                removeTree(path + "/" + name)
            } else {
                unlink(path + "/" + name)
            }
        }
        closedir(stream)
    }
    rmdir(path)
}

let someDay = Timestamp(micros: 1_763_600_000_000_000)

extension Timestamp {
    func adding(hours: Double) -> Timestamp { adding(seconds: hours * 3600) }
}

extension BlobStore {
    @discardableResult
    func put(_ text: String, now: Timestamp = someDay, expecting: ExpectedBlob = ExpectedBlob()) throws(Refusal)
        -> FinishedBlob
    {
        let upload = try begin(expecting: expecting)
        try upload.write(Array(text.utf8))
        return try upload.finish(now: now)
    }

    func text(_ digest: Digest) throws(Refusal) -> String {
        let file = try open(digest)
        return String(decoding: try file.read(0..<file.size), as: UTF8.self)
    }
}

/// Chance with a seed (SplitMix64, Steele et al., 2014), so that a failure can be seen again.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

func refusal<Value>(_ body: () throws(Refusal) -> Value) -> Refusal? {
    do throws(Refusal) {
        _ = try body()
        return nil
    } catch { return error }
}
