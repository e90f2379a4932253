import Glibc
import MartletArtifacts
import MartletDomain
import Testing

@Suite("Uploads in parts wait apart and are put together whole or not at all") struct PartStagingTests {
    private let now = Timestamp(iso: "2026-01-15T12:00:00Z")!

    private func send(_ bytes: [UInt8], _ number: Int, of upload: String, _ staging: PartStaging) throws
        -> PartStaging.Part
    {
        let part = try staging.begin(number, of: upload)
        for piece in stride(from: 0, to: bytes.count, by: 1000) {
            try Array(bytes[piece..<min(piece + 1000, bytes.count)]).withUnsafeBytes { buffer in
                try part.write(buffer)
            }
        }
        return try part.finish()
    }

    private func assembled(_ parts: [PartStaging.Part], of upload: String, _ staging: PartStaging) throws -> [UInt8] {
        var whole: [UInt8] = []
        try staging.assemble(parts, of: upload) { (bytes: UnsafeRawBufferPointer) throws(Refusal) in
            whole += bytes
        }
        return whole
    }

    private func code(_ body: () throws -> Void) -> Refusal.Code? {
        do { try body() } catch { return (error as? Refusal)?.code }
        return nil
    }

    @Test("parts come in any order, are named by what they hold, and are read in order of number")
    func order() throws {
        let scratch = Scratch()
        let staging = try PartStaging(folder: scratch.path + "/parts", now: now)
        let upload = try staging.begin()
        let pieces = (1...11).map { number in [UInt8](repeating: UInt8(number), count: 2500 + number) }
        var parts: [PartStaging.Part] = []
        for number in [11, 2, 10, 1, 3, 4, 5, 6, 7, 8, 9] {
            parts.append(try send(pieces[number - 1], number, of: upload, staging))
        }
        #expect(parts[0].tag == SHA256.digest(of: pieces[10]).text)
        #expect(try assembled(parts, of: upload, staging) == pieces.flatMap { $0 })
        staging.remove(upload)
        #expect(code { _ = try assembled(parts, of: upload, staging) } == .notFound)
        #expect(scratch.names("parts").isEmpty)
    }

    @Test("a part that comes again takes the place of the first")
    func again() throws {
        let scratch = Scratch()
        let staging = try PartStaging(folder: scratch.path + "/parts", now: now)
        let upload = try staging.begin()
        let first = try send([1, 2, 3], 1, of: upload, staging)
        let second = try send([4, 5], 1, of: upload, staging)
        #expect(code { _ = try assembled([first], of: upload, staging) } == .invalid)
        #expect(try assembled([second], of: upload, staging) == [4, 5])
        #expect(scratch.names("parts/\(upload)").count == 1)
    }

    @Test("what is missing, named twice, given up or damaged is refused")
    func refusals() throws {
        let scratch = Scratch()
        let staging = try PartStaging(folder: scratch.path + "/parts", now: now)
        let upload = try staging.begin()
        let part = try send([1, 2, 3], 1, of: upload, staging)
        let other = PartStaging.Part(number: 2, tag: part.tag)
        #expect(code { _ = try assembled([], of: upload, staging) } == .invalid)
        #expect(code { _ = try assembled([part, other], of: upload, staging) } == .invalid)
        #expect(code { _ = try assembled([part, part], of: upload, staging) } == .invalid)
        for wrong in ["..", "../parts", String(repeating: "0", count: 32), upload + "/", ""] {
            #expect(code { _ = try assembled([part], of: wrong, staging) } == .notFound)
            #expect(code { _ = try staging.begin(1, of: wrong) } == .notFound)
        }
        for number in [0, -1, 10_001] { #expect(code { _ = try staging.begin(number, of: upload) } == .invalid) }
        let pending = try staging.begin(2, of: upload)
        pending.abort()
        #expect(code { _ = try pending.finish() } == .closed)
        #expect(scratch.names("parts/\(upload)").count == 1)
        // Cut short by a power cut.
        #expect(truncate(scratch.path + "/parts/\(upload)/1.\(part.tag)", 2) == 0)
        #expect(code { _ = try assembled([part], of: upload, staging) } == .damaged)
    }

    @Test("what nobody ended is swept away after a day, and not before")
    func age() throws {
        let scratch = Scratch()
        let staging = try PartStaging(folder: scratch.path + "/parts", now: now)
        let upload = try staging.begin()
        _ = try send([1], 1, of: upload, staging)
        let clock = Timestamp(millis: Int64(time(nil)) * 1000)
        staging.sweep(now: clock.adding(seconds: 86_000))
        #expect(scratch.names("parts") == [upload])
        _ = try PartStaging(folder: scratch.path + "/parts", now: clock.adding(seconds: 86_800))
        #expect(scratch.names("parts").isEmpty)
    }
}
