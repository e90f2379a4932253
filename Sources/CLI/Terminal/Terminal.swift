internal import Glibc

/// Where text goes and what is known about the place: the window's width, whether anyone is looking, colours.
///
/// This folder turns values into text for a terminal: tables, plots, numbers, progress. All of it is plain functions
/// from values to strings; only `SystemTerminal` touches the process.
package protocol Terminal: Sendable {
    var environment: [String: String] { get }
    func isTerminal(_ stream: TerminalStream) -> Bool
    /// The columns of the window behind a stream; nil when there is none, or it does not say.
    func windowColumns(_ stream: TerminalStream) -> Int?
    func write(_ text: String, to stream: TerminalStream)
}

package enum TerminalStream: Int32, Hashable, Sendable, CaseIterable {
    case output = 1
    case error = 2
}

extension Terminal {
    /// The width to lay text out for, when some width is needed.
    package func width(of stream: TerminalStream) -> Int { fittingWidth(of: stream) ?? 80 }

    /// The width that text must fit; nil when nothing has to be cut, since a file or a pipe takes any line.
    /// `COLUMNS` in the environment wins: a shell does not export it by itself, so someone meant it.
    package func fittingWidth(of stream: TerminalStream) -> Int? {
        if let columns = environment["COLUMNS"].flatMap({ Int($0) }), (1...100_000).contains(columns) { return columns }
        guard isTerminal(stream) else { return nil }
        return windowColumns(stream).flatMap { $0 > 0 ? $0 : nil } ?? 80
    }

    package func paint(for stream: TerminalStream, choice: ColourChoice = .automatic) -> Paint {
        Paint(isOn: choice.isOn(environment: environment, isTerminal: isTerminal(stream)))
    }

    package func line(_ text: String = "", to stream: TerminalStream = .output) { write(text + "\n", to: stream) }
}

/// The process's own streams.
package final class SystemTerminal: Terminal {
    package let environment: [String: String]

    /// Takes the environment as it is now.
    package init() {
        var environment: [String: String] = [:]
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                environment[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            unsafe entry += 1
        }
        self.environment = environment
        // `martlet runs list | head` closes our output early; then `write` fails, and that is no error.
        signal(SIGPIPE, SIG_IGN)
    }

    package func isTerminal(_ stream: TerminalStream) -> Bool { isatty(stream.rawValue) == 1 }

    package func windowColumns(_ stream: TerminalStream) -> Int? {
        var size = winsize()
        guard unsafe ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes all of it, unless the reader is gone or the disk is full: then the rest is dropped.
    package func write(_ text: String, to stream: TerminalStream) {
        var text = text
        text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                let count = unsafe Glibc.write(stream.rawValue, bytes.baseAddress! + done, bytes.count - done)
                if count > 0 {
                    done += count
                } else if count < 0, errno == EINTR {
                    continue
                } else if count < 0, errno == EAGAIN {
                    var wait = pollfd(fd: stream.rawValue, events: Int16(POLLOUT), revents: 0)
                    guard unsafe poll(&wait, 1, 10_000) > 0 else { return }
                } else {
                    return
                }
            }
        }
    }
}
