import Glibc

// A verb that must end with another program's code calls exit itself.
exit(VerbTable.run(Array(CommandLine.arguments.dropFirst())))
