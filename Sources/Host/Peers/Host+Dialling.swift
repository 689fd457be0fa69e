package import Base
import Replica
import Storage
import Wire

// The links that this thread dials: one to each peer, on which all its messages to that peer leave.
extension Host {
  package func address(of peer: NodeID) -> [UInt8]? { self.peer(peer)?.address }

  /// Heartbeats, redialling, and who has fallen silent.
  func heartbeat() {
    nextHeartbeat = now + options.heartbeat
    // A thread other than the first dials when the cluster is formed; before that its greeting could not say which.
    guard shard == 0 || isServing else { return }
    if shard == 0 {
      raiseOwnFloor()
      leaveIfOut()
      leaveWhenKnown()
    }
    driveChange()
    forgetStrangers()
    for peer in peers {
      switch peer.link {
      case .resting(let until):
        if until <= now {
          peer.link = .dialling
          effects.dials.append(peer.id)
        }
      case .dialling: break
      case .greeting(let connection, _, let since):
        if since + 3000 <= now {
          lost(peer, "it accepted the connection and did not answer the greeting")
          effects.touched.append(connection)
        }
      case .established: ping(peer)
      }
      if let heardAt = peer.heardAt, peer.isReachable, heardAt + options.peerTimeout < now {
        setReachable(peer, false, "not heard from since \(now.milliseconds(since: heardAt)) ms")
      }
    }
  }

  /// The driver has connected.
  package func dialled(_ id: NodeID, connection: UInt64) {
    guard let peer = peer(id), case .dialling = peer.link else { return }
    peer.drop()
    let hello = Greeting(
      of: state, to: id, shard: shard, shards: shards, position: store.position, nonce: makeNonce())
    peer.link = .greeting(connection: connection, hello: hello, since: now)
    peer.appendFrame(.hello) { hello.encode(into: &$0) }
    effects.touched.append(connection)
  }

  package func dialFailed(_ id: NodeID, _ reason: String) {
    guard let peer = peer(id) else { return }
    peer.problem = "cannot connect: \(reason)"
    peer.failedDials += 1
    rest(peer)
  }

  /// The link is gone: what was queued is lost, as on any network, and the peer is dialled again after a pause.
  func lost(_ peer: Peer, _ problem: String) {
    setReachable(peer, false, problem)
    peer.drop()
    rest(peer)
  }

  private func rest(_ peer: Peer) {
    let jitter = random.below(peer.redial.count / 2 + 1)
    peer.link = .resting(until: now + Milliseconds(peer.redial.count + jitter))
    peer.redial = min(Milliseconds(peer.redial.count * 2), options.redialMost)
  }

  func receivedOnDialled(_ peer: Peer, _ connection: UInt64, _ bytes: UnsafeRawBufferPointer) {
    peer.reader.feed(bytes)
    do throws(DecodeError) {
      while let frame = try nextFrame(&peer.reader) {
        var reader = frame.reader
        switch FrameKind(rawValue: frame.kind) {
        case .welcome: try welcomed(peer, Greeting(from: &reader))
        case .refusal:
          let refusal = PeerRefusal(rawValue: try reader.u8())
          peer.epoch = max(peer.epoch, try reader.u32())
          refused(peer, refusal)
        case .hello, .proof, .batch, .ping, .pong, .configuration, .wish, .wishAnswer, nil: throw .malformed
        }
      }
    } catch {
      lost(peer, "what answers at its address speaks another protocol")
      effects.touched.append(connection)
    }
  }

  /// A damaged frame and a malformed body come to the same: the link ends.
  func nextFrame(_ reader: inout FrameReader) throws(DecodeError) -> Frame? {
    do throws(FrameError) { return try reader.next() } catch { throw .malformed }
  }

  private func welcomed(_ peer: Peer, _ welcome: Greeting) throws(DecodeError) {
    guard case .greeting(let connection, let hello, _) = peer.link else { throw .malformed }
    let expected = Greeting.proof(
      secret: peerSecret, role: "synod welcome", hello, welcomeNonce: welcome.nonce)
    guard SHA256.equalInConstantTime(expected, welcome.proof) else {
      // This end finds it first, so the other never gets to say it.
      if peer.refusal != .wrongSecret {
        effects.notices.append("node \(peer.id.value) is not trusted: \(PeerRefusal.wrongSecret.advice)")
      }
      peer.refusal = .wrongSecret
      lost(peer, PeerRefusal.wrongSecret.advice)
      return effects.touched.append(connection)
    }
    if let refusal = state.refusal(of: welcome) {
      lost(peer, "node \(peer.id.value) is not who it should be: \(refusal.advice)")
      return effects.touched.append(connection)
    }
    let proof = Greeting.proof(secret: peerSecret, role: "synod proof", hello, welcomeNonce: welcome.nonce)
    peer.appendFrame(.proof) { $0.raw(proof) }
    peer.link = .established(connection: connection)
    peer.failedDials = 0
    peer.redial = options.redialFirst
    peer.refusal = nil
    peer.problem = "not heard from yet"
    met(welcome)
    ping(peer)
    effects.touched.append(connection)
  }

  private func refused(_ peer: Peer, _ refusal: PeerRefusal?) {
    let advice = refusal?.advice ?? "it gave a reason that this version does not know"
    if peer.refusal != refusal { effects.notices.append("node \(peer.id.value) refuses this node: \(advice)") }
    peer.refusal = refusal
    if let connection = peer.connection { effects.touched.append(connection) }
    lost(peer, "it refuses this node: \(advice)")
    // One peer may be wrong; so many that no quorum is left without them are right.
    guard state.formation != .removed else { return }
    var turnedAway = BitSet()
    for other in peers where other.refusal?.isFinal == true {
      if let index = state.configuration.index(of: other.id) { turnedAway.insert(index) }
    }
    if !state.configuration.isQuorumPossible(without: turnedAway) {
      effects.fatal = "the other nodes refuse node \(state.node.value): \(advice)"
    }
  }

  // MARK: - Heartbeats

  // ping: u64 clock, u16 shard, u64 journal position, u8 formation, u32 epoch, 32 cluster, floor, u32 joint epoch for
  // which it was raised, u64 registers carried over, u64 of so many.
  // pong: u64 the ping's clock, u16 its shard, u64 clock.

  private func ping(_ peer: Peer) {
    peer.appendFrame(.ping) {
      $0.u64(now.nanoseconds)
      $0.u16(UInt16(shard))
      $0.u64(store.position)
      $0.u8(state.formation.rawValue)
      $0.u32(state.configuration.epoch)
      $0.raw(state.cluster)
      state.floor.encode(into: &$0)
      $0.u32(floorEpoch)
      $0.u64(ownProgress.done)
      $0.u64(ownProgress.total)
    }
  }

  func pinged(by id: NodeID, _ body: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(body)
    let clock = try reader.u64()
    let journal = try reader.u16()
    let position = try reader.u64()
    let formation = NodeState.Formation(rawValue: try reader.u8()) ?? .gathering
    let epoch = try reader.u32()
    let cluster = try reader.raw(32)
    let floor = try NodeFloor(from: &reader)
    let floorEpoch = try reader.u32()
    let progress = ChangeProgress(done: try reader.u64(), total: try reader.u64())
    guard let peer = peer(id) else { return }
    // Another of its threads may not have heard of the last epoch yet.
    if epoch >= peer.epoch {
      peer.epoch = epoch
      peer.floor.raise(to: floor)
      peer.floorEpoch = max(peer.floorEpoch, floorEpoch)
      peer.progress = progress
    }
    if shard == 0 {
      heard(peer, formation, cluster)
      keepUpWithFloor(of: peer)
    }
    if let incarnation = peer.incarnation {
      let name = NodeState.JournalName(node: id, incarnation: incarnation, journal: journal)
      if shard == 0 { note(name, position) } else { effects.posts.append((0, .position(name, position))) }
    }
    guard peer.isEstablished else { return }
    if shard == 0 && isServing && (epoch < state.configuration.epoch || formation == .joining) {
      tellConfiguration(peer)
    }
    peer.appendFrame(.pong) {
      $0.u64(clock)
      $0.u16(journal)
      $0.u64(now.nanoseconds)
    }
    // What this node has sent may have come before the other's link was up, and is never answered then. It is up now:
    // without this both would wait for the next heartbeat, and a newcomer's clients with them.
    if !peer.isReachable { ping(peer) }
  }

  /// The answer to a ping of this node; of this thread, or to be passed on to the one that asked.
  func pong(_ id: NodeID, _ body: [UInt8]) {
    var reader = ByteReader(body)
    guard let sentAt = try? reader.u64(), let asker = try? reader.u16(), let clock = try? reader.u64() else { return }
    guard Int(asker) == shard else {
      if Int(asker) < shards { effects.posts.append((Int(asker), .pong(from: id, body))) }
      return
    }
    guard let peer = peer(id), peer.isEstablished, sentAt <= now.nanoseconds else { return }
    peer.heardAt = now
    peer.roundTripNanoseconds = now.nanoseconds - sentAt
    peer.clock = PeerClock(reading: Instant(nanoseconds: clock), heardAt: now)
    setReachable(peer, true, "")
  }

  /// Tells the replicas who answers. For forwarding and for failing fast; safety never asks.
  func setReachable(_ peer: Peer, _ isReachable: Bool, _ problem: String) {
    let hasChanged = peer.isReachable != isReachable
    peer.isReachable = isReachable
    peer.problem = problem
    if !isReachable { peer.clock = nil }
    guard isReachable || hasChanged else { return }
    for partition in owned { step(partition, .peer(peer.id, isReachable: isReachable && isServing, clock: peer.clock)) }
  }

  func makeNonce() -> [UInt8] {
    var writer = ByteWriter()
    writer.u64(random.next())
    writer.u64(random.next())
    return writer.bytes
  }
}
