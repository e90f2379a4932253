// The program `martlet`: hands its words to the command line and leaves with its exit code. It holds nothing else, so
// that all of it can be tested without a process.
import MartletCLI

await CLI.main()
