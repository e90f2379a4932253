import Glibc

/// Waits for someone to say stop: Ctrl-C, or a supervisor's SIGTERM.
enum StopSignal {
    /// A signal may come to any thread; it writes a byte, and whoever waits reads it.
    private static let pipe: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }()

    /// From here on a signal ends a wait, and no longer the process.
    static func expect() {
        _ = pipe
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = Glibc.write(StopSignal.pipe.write, &byte, 1)
                // Whoever says it twice does not want to wait.
                signal(number, SIG_DFL)
            }
        }
    }

    static func wait() {
        expect()
        signal(SIGHUP, SIG_IGN)
        var byte: UInt8 = 0
        while Glibc.read(pipe.read, &byte, 1) < 0, errno == EINTR {}
    }

    /// Whether it comes within so many seconds; `expect` was called before.
    static func comes(within seconds: Int) -> Bool {
        var look = pollfd(fd: pipe.read, events: Int16(POLLIN), revents: 0)
        return poll(&look, 1, Int32(clamping: seconds * 1000)) != 0
    }
}
