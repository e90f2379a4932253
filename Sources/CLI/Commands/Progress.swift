import Synchronization

/// A progress bar on the error stream, told of progress from whichever thread does the work.
final class Progress: Sendable {
    private let bar: Mutex<ProgressBar>
    private let terminal: any Terminal
    private let seconds: @Sendable () -> Double

    init(
        _ title: String, total: Int64?, unit: ProgressBar.Unit, terminal: any Terminal, isQuiet: Bool,
        seconds: @escaping @Sendable () -> Double
    ) {
        (self.terminal, self.seconds) = (terminal, seconds)
        bar = Mutex(
            ProgressBar(
                title, total: total, unit: unit, mode: ProgressBar.mode(in: terminal, isQuiet: isQuiet),
                start: seconds()))
    }

    func update(_ done: Int64) {
        if let text = bar.withLock({ $0.update(done: done, now: seconds()) }) { terminal.write(text, to: .error) }
    }

    func finish(_ done: Int64) {
        if let text = bar.withLock({ $0.finish(done: done, now: seconds()) }) { terminal.write(text, to: .error) }
    }
}
