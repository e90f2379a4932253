import Glibc
import MartletDomain
import MartletJSON

/// The folder in which writers' files grow.
struct LogbookFolder {
    let path: String

    /// The files in it, in no order.
    func names() -> [String] { entries().filter { $0.hasSuffix(".jsonl") && !$0.hasPrefix(".") } }

    /// Whatever is in it, in no order.
    func entries() -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// When a file's first line says that its run began; nil while it has no whole line.
    func start(of name: String) -> Timestamp? {
        let file = open(path + "/" + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = pread(file, &buffer, buffer.count, 0)
        guard count > 0, let end = buffer[..<count].firstIndex(of: UInt8(ascii: "\n")),
            let line = try? LogbookLine(buffer[..<end])
        else { return nil }
        return line.body["start"]?.int64.map(Timestamp.init(millis:)) ?? line.time
    }
}
