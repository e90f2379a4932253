import Glibc
import MartletObservability
import Synchronization
import Testing

@Suite("A log line is one line, whatever it says") struct LogTests {
    /// What a log wrote, read from a pipe. At most 64 KiB, a pipe's room.
    private func lines(
        _ format: Log.Format = .text, level: Log.Level = .debug, delivery: Log.Delivery = .direct, _ body: (Log) -> Void
    ) -> [String] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return [] }
        let log = Log(
            level: level, format: format, delivery: delivery, descriptor: ends[1],
            nowMicroseconds: { 1_700_000_000_123_456 })
        body(log)
        log.flush()
        close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        var count = 0
        while true {
            let got = bytes.withUnsafeMutableBytes { read(ends[0], $0.baseAddress! + count, $0.count - count) }
            if got <= 0 { break }
            count += got
        }
        close(ends[0])
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("text has time, level, message and fields")
    func text() {
        let lines = lines { $0.info("request", ("id", "a1"), ("target", "/x y"), ("empty", "")) }
        #expect(lines == [#"2023-11-14T22:13:20.123Z info request id=a1 target="/x y" empty="""#])
    }

    @Test("JSON has the same")
    func json() {
        let lines = lines(.json) { $0.error("a \"b\"\n", ("k", "v\\\u{1}")) }
        #expect(
            lines == [
                #"{"time":"2023-11-14T22:13:20.123Z","level":"error","message":"a \"b\"\u000a","k":"v\\\u0001"}"#
            ])
    }

    @Test("control and bidi characters cannot reach a terminal", arguments: [Log.Format.text, .json])
    func escaping(_ format: Log.Format) {
        let nasty = "a\u{1B}[31m\r\n\u{202E}b\u{2066}\u{9B}\u{7F}c"
        let lines = lines(format) { $0.info(nasty, ("k", nasty)) }
        #expect(lines.count == 1)
        #expect(
            lines.first?.unicodeScalars.contains {
                $0.value < 32 || $0.value == 0x202E || $0.value == 0x9B || $0.value == 0x7F
            } == false)
        #expect(LogText.escaped("ä\u{1B}x") == "ä\\u{1b}x")
    }

    @Test("below the level nothing is said, and the message is not even made")
    func levels() {
        let made = Atomic<Int>(0)
        let message = { () -> String in
            made.add(1, ordering: .relaxed)
            return "x"
        }
        let lines = lines(level: .warning) { log in
            log.debug(message())
            log.info(message())
            log.warning(message())
            log.error(message())
        }
        #expect(lines.count == 2 && made.load(ordering: .relaxed) == 2)
        #expect(Log.Level("WARN") == .warning && Log.Level("loud") == nil)
    }

    @Test("a queued log keeps the order and says all of it by the flush")
    func queued() {
        let lines = lines(delivery: .queued) { log in for index in 0..<500 { log.info("line \(index)") } }
        #expect(lines.count == 500 && lines.last?.hasSuffix("line 499") == true)
    }

    @Test("a queued log never waits for its reader, and counts what it dropped")
    func neverWaits() {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let log = Log(delivery: .queued, descriptor: ends[1])
        let long = String(repeating: "x", count: 1000)
        for _ in 0..<3000 { log.info(long) }
        // The pipe holds 64 KiB and the queue 1 MiB, so most are dropped by now; reading all of it ends the story.
        var seen: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let word = Array("were dropped".utf8)
        while seen.suffix(400).count < 1 || !contains(seen.suffix(400), word) {
            let count = read(ends[0], &chunk, chunk.count)
            if count <= 0 { break }
            seen += chunk[..<count]
        }
        #expect(contains(seen.suffix(400), word))
        log.flush()
        close(ends[0])
        close(ends[1])
    }

    private func contains(_ hay: ArraySlice<UInt8>, _ needle: [UInt8]) -> Bool {
        hay.indices.contains { hay[$0...].starts(with: needle) }
    }
}
