import MartletCLI
import Testing

@Suite("The program's own command line") struct ProgramTests {
    @Test("every command is documented, fits 100 columns and ends with an example that parses")
    func faults() {
        let program = CLI.program(.system(RecordedTerminal()))
        for fault in program.faults() { Issue.record("\(fault)") }
    }
}
