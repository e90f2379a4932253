import Glibc

extension CLI {
    /// The process: its words, its streams, its exit code.
    package static func main() async -> Never {
        let terminal = SystemTerminal()
        let code = await program(.system(terminal)).run(Array(arguments().dropFirst()), in: terminal)
        exit(code.rawValue)
    }

    /// Swift looks for the arguments beside the environment and finds none when a preloaded library has moved that; the
    /// kernel knows them either way.
    private static func arguments() -> [String] {
        if !CommandLine.arguments.isEmpty { return CommandLine.arguments }
        guard let file = fopen("/proc/self/cmdline", "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        // Each ends with a zero, the last one too.
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
