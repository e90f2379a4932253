import Glibc
import MartletArtifacts
import MartletDomain
import Testing

@Suite("Nothing is opened outside of the operator's folders") struct RootsTests {
    let scratch = Scratch()
    var root: String { scratch.path + "/root" }

    init() {
        scratch.makeFolder("root")
        scratch.makeFolder("root/runs")
        scratch.makeFolder("root/inner")
        scratch.makeFolder("rootless")
        scratch.write("plot", to: "root/runs/plot 1.png")
        scratch.write("inner", to: "root/inner/a.txt")
        scratch.write("secret", to: "secret")
        scratch.write("secret", to: "rootless/secret")
        symlink("runs", root + "/latest")
        symlink("../secret", root + "/up")
        symlink("../root/runs/plot 1.png", root + "/outAndBack")
        symlink("/etc/passwd", root + "/passwd")
        symlink(root + "/runs/plot 1.png", root + "/absoluteInside")
        symlink("/proc/self/fd/0", root + "/magic")
        symlink("loop", root + "/loop")
        mkfifo(root + "/pipe", 0o644)
    }

    func text(_ path: String) throws(Refusal) -> String {
        let file = try Roots([root]).open(path, beneath: 0)
        return String(decoding: try file.read(0..<file.size), as: UTF8.self)
    }

    @Test(
        "a file beneath is read, and through a link that stays beneath",
        arguments: [
            "runs/plot 1.png", "latest/plot 1.png", "runs/../runs/./plot 1.png", "runs//plot 1.png",
        ])
    func beneath(_ path: String) throws {
        #expect(try text(path) == "plot")
    }

    @Test(
        "what leads out is forbidden",
        arguments: [
            "../secret", "runs/../../secret", "/etc/passwd", "up", "outAndBack", "passwd", "absoluteInside", "magic",
            "loop", "..", "../root/runs/plot 1.png", "latest/../../secret",
        ])
    func outside(_ path: String) {
        let refused = refusal { () throws(Refusal) in try text(path) }
        #expect(refused?.code == .forbidden, "\(path): \(refused?.message ?? "was opened")")
    }

    @Test(
        "the system's links to open files are no way out even when the root is the whole system",
        arguments: [
            "proc/self/fd/0", "proc/self/root/etc/passwd", "proc/self/cwd/Package.swift",
        ])
    func magic(_ path: String) throws {
        let roots = try Roots(["/"])
        #expect(refusal { () throws(Refusal) in try roots.open(path, beneath: 0) }?.code == .forbidden)
        #expect(try roots.open("etc/passwd", beneath: 0).size > 0)
    }

    @Test("only files are opened, and a pipe does not hold anyone up", arguments: ["runs", ".", "pipe", "", "a\0b"])
    func filesOnly(_ path: String) {
        #expect(refusal { () throws(Refusal) in try text(path) }?.code == .invalid)
    }

    @Test("what is not there is not found", arguments: ["nothing", "runs/plot 1.png/deeper"])
    func missing(_ path: String) {
        #expect(refusal { () throws(Refusal) in try text(path) }?.code == .notFound)
        #expect(refusal { () throws(Refusal) in try Roots([root]).open("a", beneath: 1) }?.code == .notFound)
    }

    @Test("a recorded location is read when it lies beneath a root, as a path or a file URL")
    func locations() throws {
        let roots = try Roots([root + "//", root + "/inner"])
        #expect(roots.paths == [root, root + "/inner"])
        for location in [
            root + "/runs/plot 1.png", "file://\(root)/runs/plot%201.png", "file:\(root)/runs/plot 1.png",
            "FILE://localhost\(root)/runs/plot%201.png", root + "//runs/plot 1.png",
        ] {
            #expect(try roots.open(location: location).size == 4, "\(location)")
        }
        #expect(try roots.open(location: root + "/inner/a.txt").size == 5)
    }

    @Test(
        "every other location is forbidden",
        arguments: [
            "/secret", "less/secret", "/../secret", "/runs/../../secret", "/passwd", "", "/inner/../../secret",
        ])
    func foreignLocations(_ tail: String) throws {
        let roots = try Roots([root, root + "/inner"])
        for location in [root + tail, "file://\(root)\(tail)", "file:\(root)\(tail)"] where tail != "/secret" {
            #expect(refusal { () throws(Refusal) in try roots.open(location: location) }?.code == .forbidden)
        }
        for location in [
            "file://elsewhere\(root)/runs/plot%201.png", "file://\(root)/%2e%2e/secret", "http://127.0.0.1/",
            "runs/plot 1.png", "file:runs", "file://\(root)/%zz", "file://\(root)/%2", "s3://bucket/key",
            "file://\(root)/%ff", "", "file:",
        ] {
            #expect(
                refusal { () throws(Refusal) in try roots.open(location: location) }?.code == .forbidden, "\(location)")
        }
    }

    @Test("any text of a client's either reads what lies beneath or is refused", arguments: [11, 12] as [UInt64])
    func anyText(seed: UInt64) throws {
        var chance = Seeded(seed)
        let roots = try Roots([root])
        let parts = [
            "..", ".", "", "runs", "plot 1.png", "latest", "up", "passwd", "magic", "é", "%2e%2e", "secret", "\n",
        ]
        for _ in 0..<3000 {
            let path = (0...Int.random(in: 0...6, using: &chance)).map { _ in parts.randomElement(using: &chance) ?? ""
            }
            .joined(separator: "/")
            if let file = try? roots.open(path, beneath: 0) {
                #expect(try file.read(0..<file.size) == Array("plot".utf8), "seed \(seed): \(path)")
            }
        }
    }

    @Test("a wrong root is known at the start")
    func wrongRoot() {
        #expect(refusal { () throws(Refusal) in try Roots(["data"]) }?.code == .invalid)
        #expect(refusal { () throws(Refusal) in try Roots([root + "/nothing"]) }?.code == .notFound)
        #expect(
            refusal { () throws(Refusal) in try Roots([scratch.path + "/secret"]) }?.message.contains("secret") == true)
    }

    @Test("what an upload left behind is removed once it is a day old, wherever it lies, and nothing else is")
    func unfinished() throws {
        let roots = try Roots([root])
        let names = ["runs/.martlet-upload-0011", ".martlet-upload-0022", "runs/.martlet-upload-young", "runs/old.bin"]
        for name in names { scratch.write("half", to: "root/\(name)") }
        scratch.makeFolder("root/runs/.martlet-upload-folder")
        for name in names where !name.hasSuffix("young") {
            scratch.setModified("root/\(name)", someDay.adding(hours: -25))
        }
        scratch.setModified("root/runs/.martlet-upload-young", someDay.adding(hours: -23))
        #expect(roots.sweepUnfinished(before: someDay.adding(hours: -24)) == 2)
        #expect(names.map { scratch.exists("root/\($0)") } == [false, false, true, true])
        #expect(scratch.exists("root/runs/.martlet-upload-folder") && scratch.exists("root/runs/plot 1.png"))
    }
}
