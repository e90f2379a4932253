import Foundation
import MartletCLI
import Testing

@Suite("Shells complete our commands") struct CompletionTests {
    private static func path(of shell: String) -> String? {
        ["/bin/", "/usr/bin/", "/usr/local/bin/"].map { $0 + shell }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// Runs a shell on a script given as a file, with more code after it; nil when the shell is not installed.
    private func run(_ shell: String, _ flags: [String], script: String) throws -> (status: Int32, output: String)? {
        guard let path = CompletionTests.path(of: shell) else { return nil }
        let folder = FileManager.default.temporaryDirectory.appending(path: "completion-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "script")
        try Data(script.utf8).write(to: file)
        for name in ["model.bin", "model two.bin"] { try Data().write(to: folder.appending(path: name)) }
        // Stands in for the program when a completion asks it.
        let program = folder.appending(path: "martlet")
        try Data("#!/bin/sh\n[ \"$1\" = names ] && printf 'run_01\\nrun 02\\n$(touch hacked)\\n'\n".utf8).write(
            to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: path)
        process.arguments = flags + [file.path]
        process.currentDirectoryURL = folder
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "hacked").path))
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    @Test(
        "each script is good in its shell's eyes", arguments: [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
    func syntax(_ shell: String, _ flag: String) throws {
        let script = Sample.program.completions(for: try #require(Shell(rawValue: shell)))
        guard let result = try run(shell, [flag], script: script) else { return }
        #expect(result.status == 0, "\(result.output)")
    }

    @Test(
        "bash offers what may follow",
        arguments: [
            (["ru"], "runs"),
            ([""], "runs|log|exec|get|completions|help"),
            (["runs", ""], "list|compare"),
            (["-s", "x", "runs", "l"], "list"),
            (["runs", "list", "--f"], "--filter|--format"),
            (["runs", "list", "--no"], "--no-pager"),
            (["runs", "list", "--format", ""], "table|json|csv"),
            (["runs", "list", "--format", "=", "j"], "json"),
            (["runs", "list", "--format", "="], "table|json|csv"),
            (["runs", "list", "--format=j"], "--format=json"),
            (["runs", "list", "--limit", ""], ""),
            (["completions", "z"], "zsh"),
            (["completions", "--", "z"], "zsh"),
            (["help", "ru"], "runs"),
            (["get", "run_01", "x", "-o", "mod"], "model two.bin|model.bin"),
            (["runs", "compare", "run"], "run_01|run\\ 02"),
            (["runs", "compare", "run_01", "run_"], "run_01"),
            (["runs", "compare", "$"], "\\$\\(touch\\ hacked\\)"),
        ])
    func bash(_ words: [String], _ offered: String) throws {
        let typed = (["./martlet"] + words).map { "'\($0)'" }.joined(separator: " ")
        let ask = """
            COMP_WORDS=(\(typed)) COMP_CWORD=\(words.count)
            _martlet
            IFS='|'; echo "${COMPREPLY[*]}"
            """
        let script = Sample.program.completions(for: .bash) + ask
        let result = try #require(try run("bash", ["--norc"], script: script))
        let found = result.output.trimmingCharacters(in: .newlines).split(separator: "|").sorted()
        #expect(found == offered.split(separator: "|").sorted(), "\(result.output)")
    }

    @Test("the script is what the command prints") func command() async {
        let terminal = RecordedTerminal()
        #expect(await Sample.program.run(["completions", "fish"], in: terminal) == .good)
        #expect(terminal.output == Sample.program.completions(for: .fish))
        #expect(terminal.output.contains("complete -c martlet -n '__martlet_at \\'martlet runs\\' 1' -a 'list'"))
    }
}
