import Base
import Replica
import Storage
import Wire

// The links that peers dial: their greeting, and what they send.
extension Host {
  /// A peer's node has connected to the peers' port. First thread only.
  package func peerAccepted(_ connection: UInt64) {
    served[connection] = ServedLink(.awaitingHello(since: now))
  }

  /// A link whose greeting the first thread has done.
  package func adopt(_ handOver: Effects.HandOver) {
    let link = ServedLink(.established(handOver.peer))
    served[handOver.connection] = link
    handOver.rest.withUnsafeBytes { receivedOnServed(handOver.connection, link, $0) }
  }

  func receivedOnServed(_ connection: UInt64, _ link: ServedLink, _ bytes: UnsafeRawBufferPointer) {
    link.reader.feed(bytes)
    do throws(DecodeError) {
      while !link.isFinished, served[connection] != nil, let frame = try nextFrame(&link.reader) {
        try received(frame, on: link, connection)
      }
    } catch {
      // Damaged or foreign: where the next frame begins is not known, so the link ends. Its peer will dial again.
      link.isFinished = true
      effects.touched.append(connection)
    }
  }

  private func received(_ frame: Frame, on link: ServedLink, _ connection: UInt64) throws(DecodeError) {
    var reader = frame.reader
    switch (link.state, FrameKind(rawValue: frame.kind)) {
    case (.awaitingHello, .hello):
      greeted(connection, link, try Greeting(from: &reader))
    case (.awaitingProof(let hello, let nonce, _), .proof):
      let expected = Greeting.proof(secret: peerSecret, role: "synod proof", hello, welcomeNonce: nonce)
      guard SHA256.equalInConstantTime(expected, frame.body) else {
        return refuse(connection, link, .wrongSecret)
      }
      establish(connection, link, hello)
    case (.established(let peer), .batch):
      try batch(from: peer, &reader)
    case (.established(let peer), .ping):
      try pinged(by: peer, frame.body)
    case (.established(let peer), .pong):
      pong(peer, frame.body)
    case (.established, .configuration):
      hear(try Configuration(from: &reader), from: link)
    case (.established(let peer), .wish):
      try wished(by: peer, &reader)
    case (.established, .wishAnswer):
      try wishAnswered(&reader)
    default:
      throw .malformed
    }
  }

  private func greeted(_ connection: UInt64, _ link: ServedLink, _ hello: Greeting) {
    if let refusal = state.refusal(of: hello) {
      // It dials again and again; the operator is told once.
      if refusedPeers[hello.node] != refusal {
        effects.notices.append("refused a link from node \(hello.node.value): \(refusal.advice)")
        refusedPeers[hello.node] = refusal
      }
      return refuse(connection, link, refusal)
    }
    let nonce = makeNonce()
    var welcome = Greeting(
      of: state, to: hello.node, shard: shard, shards: shards, position: store.position, nonce: nonce)
    welcome.proof = Greeting.proof(secret: peerSecret, role: "synod welcome", hello, welcomeNonce: nonce)
    write(.welcome, on: link) { welcome.encode(into: &$0) }
    link.state = .awaitingProof(hello: hello, nonce: nonce, since: now)
    effects.touched.append(connection)
  }

  private func establish(_ connection: UInt64, _ link: ServedLink, _ hello: Greeting) {
    link.state = .established(hello.node)
    refusedPeers[hello.node] = nil
    welcomeGuest(hello)
    met(hello)
    // It is there again: no need to wait for the end of a long pause before it is dialled.
    if let peer = peer(hello.node), case .resting = peer.link {
      peer.link = .resting(until: now)
      peer.redial = options.redialFirst
    }
    let owner = Int(hello.shard) % shards
    guard owner != shard else { return }
    served[connection] = nil
    effects.handOvers.append(
      Effects.HandOver(connection: connection, shard: owner, peer: hello.node, rest: link.reader.takeRest()))
  }

  private func refuse(_ connection: UInt64, _ link: ServedLink, _ refusal: PeerRefusal) {
    let epoch = state.configuration.epoch
    write(.refusal, on: link) {
      $0.u8(refusal.rawValue)
      $0.u32(epoch)
    }
    link.isFinished = true
    effects.touched.append(connection)
  }

  private func write(_ kind: FrameKind, on link: ServedLink, _ body: (inout ByteWriter) -> Void) {
    let start = Frame.begin(kind.rawValue, in: &link.output)
    body(&link.output)
    Frame.seal(&link.output, from: start)
  }

  /// Replica messages, each to the thread that owns its partition.
  private func batch(from peer: NodeID, _ reader: inout ByteReader) throws(DecodeError) {
    approach(reader)
    // Also of what came before a message that is malformed.
    defer { carryOut() }
    while let (partition, range) = try message(&reader) {
      guard isServing else { continue }
      let owner = shard(ofPartition: partition)
      if owner == shard {
        run(partition, .message(from: peer, ByteReader(reader.bytes, in: range)))
      } else {
        effects.posts.append((owner, .peerMessage(partition: partition, from: peer, Array(reader.bytes[range]))))
      }
    }
  }

  /// The next message of a batch; nil at its end.
  @inline(__always)
  private func message(_ reader: inout ByteReader) throws(DecodeError) -> (partition: Int, range: Range<Int>)? {
    guard !reader.isAtEnd else { return nil }
    let partition = Int(try reader.u16())
    let length = try reader.varint()
    guard partition < replicas.count, length <= UInt64(reader.remaining) else { throw .malformed }
    return (partition, try reader.skip(Int(length)))
  }

  /// Looks ahead to what the messages are about.
  private func approach(_ messages: ByteReader) {
    var reader = messages
    var keys = approached.takeAll()
    defer { approached.reuse(&keys) }
    while let (partition, range) = try? message(&reader) {
      guard let hash = replicas[partition]?.hashOfKey(in: ByteReader(reader.bytes, in: range)) else { continue }
      replicas[partition]?.approach(hash, .place)
      keys.append((partition, hash))
    }
    // A single one would only wait here instead.
    guard keys.count > 1 else { return }
    for (partition, hash) in keys { replicas[partition]?.approach(hash, .record) }
    for (partition, hash) in keys { replicas[partition]?.approach(hash, .head) }
  }
}
