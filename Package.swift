// swift-tools-version: 6.2
import PackageDescription

/// One set of settings for every target: Swift 6 mode, warnings as errors, explicit imports.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

// Arrows point downward only; Tests/TidyTests holds every import against this list.
let package = Package(
  name: "synod",
  products: [
    .executable(name: "synod", targets: ["synod"]),
    .library(name: "Client", targets: ["Client"]),
  ],
  traits: [
    // Builds in which a guard can be taken out, to see that the simulator notices (`synod mutants`). Never shipped.
    .trait(name: "Mutants", description: "Guards of the protocol and of the storage can be taken out, one at a time.")
  ],
  targets: [
    .systemLibrary(name: "CLinux"),
    library("Base"),
    library("Replica", ["Base"]),
    library("Register", ["Base", "Replica"]),
    library("Wire", ["Base", "Replica"]),
    library("Storage", ["Base"]),
    library("Linearizability", ["Base"]),
    library("Host", ["Base", "Replica", "Wire", "Storage"]),
    library(
      "Simulator", ["Base", "Replica", "Register", "Wire", "Storage", "Host", "Linearizability"]),
    library("Linux", ["CLinux", "Base", "Storage"]),
    library("Server", ["Base", "Replica", "Wire", "Storage", "Host", "Linux"]),
    library("Client", ["Base", "Wire", "Linux"]),
    .executableTarget(
      name: "synod",
      dependencies: [
        "Base", "Replica", "Register", "Wire", "Storage", "Linearizability", "Host", "Simulator", "Linux",
        "Server", "Client",
      ],
      swiftSettings: settings),
    tests("BaseTests", ["Base"]),
    tests("RegisterTests", ["Base", "Replica", "Register"]),
    tests("WireTests", ["Base", "Replica", "Wire"]),
    tests("StorageTests", ["Base", "Storage"]),
    tests("LinearizabilityTests", ["Base", "Linearizability"]),
    tests("HostTests", ["Base", "Replica", "Register", "Wire", "Storage", "Host"]),
    tests("SimulatorTests", ["Base", "Storage", "Simulator"]),
    tests("LinuxTests", ["Base", "Storage", "Linux"]),
    tests("ClientTests", ["Base", "Linearizability", "Linux", "Client", "synod"]),
    tests("EndToEndTests", ["synod"]),
    tests("MaelstromTests", ["Base", "Replica", "Register", "Wire", "synod"]),
    tests("TidyTests", []),
  ]
)
