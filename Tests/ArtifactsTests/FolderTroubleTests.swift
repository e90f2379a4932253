import Glibc
import MartletArtifacts
import MartletDomain
import Testing

/// Each in a process of its own, since they change what a process may do.
@Suite("A folder that cannot be written says so") struct FolderTroubleTests {
    @Test("a folder without the right to write is refused with its path and a remedy, and can still be read")
    func readOnly() async {
        await #expect(processExitsWith: .success) {
            let scratch = Scratch()
            let folder = scratch.path + "/base"
            let store = try FolderBlobStore(folder: folder, now: someDay)
            let digest = try store.put("abc").digest
            chmod(scratch.path, 0o755)
            for name in ["", "/tmp", "/" + digest.text.prefix(2)] { chmod(folder + name, 0o555) }
            // Root may write anywhere; nobody may not.
            if geteuid() == 0 { seteuid(65534) }
            let again = try FolderBlobStore(folder: folder, now: someDay)
            #expect(try again.text(digest) == "abc")
            for attempt in [
                refusal { () throws(Refusal) in try again.begin() },
                refusal { () throws(Refusal) in try again.probeWriting() },
                refusal { () throws(Refusal) in try FolderBlobStore(folder: folder + "/deeper", now: someDay) },
            ] {
                #expect(attempt?.code == .readOnly)
                #expect(attempt?.message.contains(folder) == true)
                #expect(attempt?.remedy.contains("chmod") == true)
                #expect(attempt?.cause?.contains("errno") == true)
            }
            if getuid() == 0 { seteuid(0) }
            for name in ["", "/tmp", "/" + digest.text.prefix(2)] { chmod(folder + name, 0o755) }
        }
    }

    @Test("a file beyond what the process may write is refused, and leaves nothing behind")
    func tooLarge() async {
        await #expect(processExitsWith: .success) {
            let scratch = Scratch()
            let store = try FolderBlobStore(folder: scratch.path, now: someDay)
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let upload = try store.begin()
            let refused = refusal { () throws(Refusal) in try upload.write([UInt8](repeating: 7, count: 2 << 20)) }
            #expect(refused?.code == .tooLarge)
            #expect(scratch.names("tmp").isEmpty)
        }
    }

    @Test("a full disk is refused as full, what was stored before is whole", .enabled(if: FullDisk.canBeMade))
    func full() async {
        await #expect(processExitsWith: .success) {
            let scratch = Scratch()
            try #require(FullDisk.mount(scratch.path, kilobytes: 512))
            defer { umount2(scratch.path, Int32(MNT_DETACH)) }
            let store = try FolderBlobStore(folder: scratch.path, now: someDay)
            let digest = try store.put("abc").digest
            let upload = try store.begin()
            let refused = refusal { () throws(Refusal) in try upload.write([UInt8](repeating: 7, count: 2 << 20)) }
            #expect(refused?.code == .full)
            #expect(refused?.message.contains(scratch.path) == true)
            #expect(scratch.names("tmp").isEmpty)
            #expect(try store.text(digest) == "abc")
            #expect(try store.put("def").isNew)
        }
    }

    @Test("a file where the folder should be is refused")
    func file() {
        let scratch = Scratch()
        scratch.write("", to: "artifacts")
        let refused = refusal { () throws(Refusal) in
            try FolderBlobStore(folder: scratch.path + "/artifacts", now: someDay)
        }
        #expect(refused?.code == .damaged)
        #expect(refused?.message.contains(scratch.path + "/artifacts") == true)
    }
}

/// A small file system in memory, where the tests may mount one.
enum FullDisk {
    static var canBeMade: Bool {
        guard geteuid() == 0 else { return false }
        let scratch = Scratch()
        defer { umount2(scratch.path, Int32(MNT_DETACH)) }
        return mount(scratch.path, kilobytes: 64)
    }

    static func mount(_ path: String, kilobytes: Int) -> Bool {
        Glibc.mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0
    }
}
