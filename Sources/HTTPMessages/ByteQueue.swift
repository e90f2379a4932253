/// Chunks waiting to be sent, first in, first out, taken out in pieces of any size. No lock: its owner has one.
package struct ByteQueue {
    private var chunks: [[UInt8]] = []
    private var head = 0
    private var offset = 0
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package mutating func append(_ chunk: [UInt8]) {
        guard !chunk.isEmpty else { return }
        chunks.append(chunk)
        count += chunk.count
    }

    /// Moves as much as fits; returns how many bytes.
    package mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        var written = 0
        while written < target.count, head < chunks.count {
            let take = min(target.count - written, chunks[head].count - offset)
            chunks[head].withUnsafeBytes { source in
                target[written..<(written + take)].copyBytes(from: source[offset..<(offset + take)])
            }
            written += take
            offset += take
            if offset == chunks[head].count {
                chunks[head] = []
                head += 1
                offset = 0
            }
        }
        if head > 64 && head * 2 > chunks.count || head == chunks.count {
            chunks.removeFirst(head)
            head = 0
        }
        count -= written
        return written
    }

    /// Takes everything as one chunk.
    package mutating func takeAll() -> [UInt8] {
        if head == 0, offset == 0, chunks.count == 1 {
            let only = chunks[0]
            removeAll()
            return only
        }
        let all = [UInt8](unsafeUninitializedCapacity: count) { buffer, size in
            size = read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        removeAll()
        return all
    }

    package mutating func removeAll() {
        chunks = []
        head = 0
        offset = 0
        count = 0
    }
}
