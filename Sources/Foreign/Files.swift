import Glibc
import MartletDomain

/// The few verbs that reading another tracker's folder needs. Nothing is written there.
enum Files {
    static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    static func isFile(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
    }

    /// Sorted, without `.` and `..`; empty where there is no such folder.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    struct Entry {
        var path: String
        var size: Int64
        /// Nanoseconds since 1970.
        var changed: Int64
    }

    /// Regular files beneath a folder, by their path in it. Links are followed to files, as MLflow
    /// does, and not to folders, so that no ring is walked.
    static func tree(_ path: String) -> [Entry] {
        var found: [Entry] = []
        var waiting = [""]
        while let prefix = waiting.popLast() {
            for name in names(in: prefix.isEmpty ? path : path + "/" + prefix) {
                let relative = prefix.isEmpty ? name : prefix + "/" + name
                var (own, facts) = (stat(), stat())
                guard lstat(path + "/" + relative, &own) == 0, stat(path + "/" + relative, &facts) == 0 else {
                    continue
                }
                if own.st_mode & S_IFMT == S_IFDIR { waiting.append(relative) }
                if facts.st_mode & S_IFMT == S_IFREG {
                    let changed = Int64(facts.st_mtim.tv_sec) * 1_000_000_000 + Int64(facts.st_mtim.tv_nsec)
                    found.append(Entry(path: relative, size: Int64(facts.st_size), changed: changed))
                }
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    /// The first bytes of a file.
    static func head(_ path: String, _ count: Int) throws(Refusal) -> [UInt8] { try read(path, most: count) }

    static func read(_ path: String, from start: Int64 = 0, most: Int = .max) throws(Refusal) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0 else { throw failure(path) }
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: min(most, max(0, Int(facts.st_size) - Int(start)))) {
            buffer, count in
            while count < buffer.count {
                let got = pread(file, buffer.baseAddress! + count, buffer.count - count, Int(start) + count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failed = true }
                guard got > 0 else { return }
                count += got
            }
        }
        if failed { throw failure(path) }
        return bytes
    }

    static func text(_ path: String) throws(Refusal) -> String { String(decoding: try read(path), as: UTF8.self) }

    private static func failure(_ path: String) -> Refusal {
        let code = errno
        return Refusal(
            code == ENOENT ? .notFound : .io, "Cannot read \(path): \(String(cString: strerror(code))).",
            remedy: "Check the path and its permissions.")
    }
}
