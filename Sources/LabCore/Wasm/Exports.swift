// The interface between the page and the module. Nothing else crosses it; there is nothing that the module imports.
#if arch(wasm32)
  import Base
  import Simulator

  /// The one run of this module.
  nonisolated(unsafe) private var run: LabRun?
  /// Text on its way in and out.
  nonisolated(unsafe) private var input: UnsafeMutablePointer<UInt8>?
  nonisolated(unsafe) private var inputCapacity = 0
  nonisolated(unsafe) private var output: [UInt8] = []
  nonisolated(unsafe) private var outputCopy: UnsafeMutablePointer<UInt8>?
  nonisolated(unsafe) private var outputCapacity = 0

  private func put(_ bytes: [UInt8]) -> Int32 {
    if bytes.count > outputCapacity {
      outputCopy?.deallocate()
      outputCapacity = bytes.count * 2
      outputCopy = .allocate(capacity: outputCapacity)
    }
    for (place, byte) in bytes.enumerated() { outputCopy?[place] = byte }
    return Int32(bytes.count)
  }

  private func taken(_ count: Int32) -> [UInt8] {
    guard let input else { return [] }
    return Array(UnsafeBufferPointer(start: input, count: Int(count)))
  }

  /// Where `count` bytes of UTF-8 may be put for the next call that takes text.
  @_expose(wasm, "lab_input") @_cdecl("lab_input")
  public func labInput(_ count: Int32) -> UnsafeMutablePointer<UInt8>? {
    if Int(count) > inputCapacity {
      input?.deallocate()
      inputCapacity = Int(count) * 2
      input = .allocate(capacity: inputCapacity)
    }
    return input
  }

  /// Where the text is whose length the last call returned.
  @_expose(wasm, "lab_output") @_cdecl("lab_output")
  public func labOutput() -> UnsafeMutablePointer<UInt8>? { outputCopy }

  /// Begins a run. `tombstone`: in milliseconds, 0 for never; `removed`: the number of the guard that is out, or -1. 1
  /// if the clusters have formed.
  @_expose(wasm, "lab_begin") @_cdecl("lab_begin")
  public func labBegin(
    _ nodes: Int32, _ newcomers: Int32, _ clients: Int32, _ seed: Double, _ tombstone: Int32, _ removed: Int32
  ) -> Int32 {
    #if Mutants
      Guard.removed = removed < 0 ? nil : Guard(rawValue: UInt8(removed))
    #endif
    run = nil
    run = LabRun(
      LabSetup(
        nodes: Int(nodes), newcomers: Int(newcomers), clients: Int(clients), seed: UInt64(seed),
        tombstoneMilliseconds: UInt64(tombstone)))
    return run == nil ? 0 : 1
  }

  /// Adds the line that stands in the input to the script. 1 if it is one.
  @_expose(wasm, "lab_line") @_cdecl("lab_line")
  public func labLine(_ count: Int32) -> Int32 { run?.add(taken(count)) == true ? 1 : 0 }

  /// Lets everything up to this microsecond happen.
  @_expose(wasm, "lab_advance") @_cdecl("lab_advance")
  public func labAdvance(_ microseconds: Double) { run?.advance(to: UInt64(microseconds)) }

  /// Goes on to the next moment at which something can be seen to happen; returns it.
  @_expose(wasm, "lab_step") @_cdecl("lab_step")
  public func labStep() -> Double {
    run?.step()
    return Double(run?.time ?? 0)
  }

  /// The state, as JSON (`RunState.swift`).
  @_expose(wasm, "lab_state") @_cdecl("lab_state")
  public func labState() -> Int32 { put(run?.state ?? []) }

  /// What happened since, as JSON.
  @_expose(wasm, "lab_events") @_cdecl("lab_events")
  public func labEvents(_ register: Int32, _ raft: Int32) -> Int32 {
    put(run?.events(from: (Int(register), Int(raft))) ?? [])
  }

  /// One message that is on its way, as JSON. `pane`: 0 registers, 1 log.
  @_expose(wasm, "lab_flight") @_cdecl("lab_flight")
  public func labFlight(_ pane: Int32, _ number: Double) -> Int32 {
    guard let run else { return 0 }
    return put((pane == 0 ? run.register : run.raft).details(ofFlight: UInt64(number)))
  }

  /// A pane's run so far, as a diagram in characters.
  @_expose(wasm, "lab_diagram") @_cdecl("lab_diagram")
  public func labDiagram(_ pane: Int32) -> Int32 {
    guard let run else { return 0 }
    return put(Diagram.draw(pane == 0 ? run.register : run.raft, clients: run.setup.clients))
  }

  /// All lessons and all guards, as JSON; the same at all times.
  @_expose(wasm, "lab_catalogue") @_cdecl("lab_catalogue")
  public func labCatalogue() -> Int32 { put(Catalogue.json) }

  /// The explanation of a lesson, by its place, with the numbers of the run as it stands: JSON, an array of paragraphs.
  @_expose(wasm, "lab_explain") @_cdecl("lab_explain")
  public func labExplain(_ lesson: Int32) -> Int32 {
    guard let run, Int(lesson) < Lessons.all.count else { return 0 }
    return put(Lessons.all[Int(lesson)].explained(run))
  }

  /// The trace of a run of the simulator, by which a test holds the module against the native build. `backend`: 0
  /// registers, 1 log; the default scenario of each, shortened to half a second.
  @_expose(wasm, "lab_trace") @_cdecl("lab_trace")
  public func labTrace(_ backend: Int32, _ seed: Double) -> Int32 {
    put(Catalogue.trace(ofLog: backend == 1, seed: UInt64(seed)))
  }
#endif
