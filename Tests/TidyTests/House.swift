/// The arrows between the targets, as the house is drawn: what a target stands on directly.
enum House {
  static let arrows: [String: Set<String>] = [
    "CLinux": [],
    "CProcessor": [],
    "Base": [],
    "Replica": ["Base"],
    "Register": ["CProcessor", "Replica"],
    "RaftLog": ["Replica"],
    "Wire": ["Replica"],
    "Storage": ["Base"],
    "Linearizability": ["Base"],
    "Host": ["CProcessor", "Replica", "Wire", "Storage"],
    "Simulator": ["Register", "RaftLog", "Host", "Linearizability"],
    "Linux": ["CLinux", "Storage"],
    "Server": ["CProcessor", "Host", "Linux"],
    "Client": ["Wire", "Linux"],
    "Workload": ["Base"],
    "Compare": ["Client", "Workload", "Simulator"],
    "LabCore": ["Simulator"],
    "CLab": [],
    "Lab": ["CLab", "LabCore"],
    "synod": [
      "Base", "Replica", "Register", "RaftLog", "Wire", "Storage", "Linearizability", "Host", "Simulator", "Linux",
      "Server", "Client", "Workload", "Compare", "LabCore", "Lab",
    ],
  ]

  /// The targets that run in a browser too: neither Foundation nor a module of the operating system.
  static let pure: Set<String> = [
    "Base", "Replica", "Register", "RaftLog", "Wire", "Storage", "Linearizability", "Host", "Simulator",
    "Workload", "LabCore",
  ]

  /// The modules of the system and of the standard library that the other targets may import.
  static let system: Set<String> = ["Glibc", "Synchronization"]

  /// Everything below a target, however far.
  static func below(_ target: String) -> Set<String> {
    var found: Set<String> = []
    var open = arrows[target] ?? []
    while let next = open.popFirst() {
      if found.insert(next).inserted { open.formUnion(arrows[next] ?? []) }
    }
    return found
  }
}
