import Glibc
import MartletArtifacts
import MartletDomain
import Testing

@Suite("A large upload takes no memory") struct LargeUploadTests {
    @Test("200 MB pass through less than 8 MB, there and back")
    func flat() async {
        await #expect(processExitsWith: .success) {
            let scratch = Scratch()
            let store = try FolderBlobStore(folder: scratch.path, now: someDay)
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            try store.put("the first one pays for what every process needs")
            let before = try #require(peakMemory())
            let upload = try store.begin()
            let pieces = 200 << 4
            for number in 0..<pieces {
                piece.withUnsafeMutableBytes { $0.storeBytes(of: number, as: Int.self) }
                try upload.write(piece)
            }
            let blob = try upload.finish(now: someDay)
            #expect(blob.size == 200 << 20)
            #expect(try store.verify(blob.digest) == .sound(size: 200 << 20))
            let grown = try #require(peakMemory()) - before
            #expect(grown < 8 << 10, "grew by \(grown) kB")
        }
    }
}

/// The most memory that this process ever had, in kB.
private func peakMemory() -> Int? {
    guard let file = fopen("/proc/self/status", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if text.hasPrefix("VmHWM:") { return Int(text.filter(\.isNumber)) }
    }
    return nil
}
