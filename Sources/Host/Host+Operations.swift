package import Base
package import Replica
import Storage

// From sessions to replicas and back.
extension Host: SessionHost {
  package var hasRoom: Bool {
    operations.count < options.maximumOperations && operations.bytes < options.maximumOperationBytes
      && !store.isStalled && !isDraining
  }

  package func submit(
    _ operation: consuming Operation, wait: Request.Wait?, deadline: Instant, for exchange: ExchangeID, part: Int
  ) {
    let partition = operation.key.partition(of: replicas.count)
    let subject = OperationTable.Subject.operation(exchange, part: part, bytes: operation.action.bytes)
    let token = operations.insert(subject, partition: partition, isWait: wait != nil)
    let request = Request(operation: operation, token: token, deadline: deadline, wait: wait)
    let owner = shard(ofPartition: partition)
    // Before the cluster is formed nothing can be promised; readyz tells who is missing.
    if !isServing {
      finishLater(token, .refused(.noQuorum))
    } else if owner == shard {
      requests.append(QueuedRequest(partition: partition, hash: request.operation.key.hash, request: request))
    } else {
      effects.posts.append((owner, .request(partition: partition, request)))
    }
  }

  package func list(prefix: [UInt8], after: [UInt8], limit: Int, deadline: Instant, for exchange: ExchangeID) {
    let listing = nextListing
    nextListing += 1
    listings[listing] = ListingAcross(exchange: exchange, limit: limit, waitingFor: replicas.count)
    for partition in replicas.indices {
      let token = operations.insert(.listing(listing), partition: partition)
      let request = ListRequest(token: token, prefix: prefix, after: after, limit: limit, deadline: deadline)
      let owner = shard(ofPartition: partition)
      if !isServing {
        finishLater(list: token)
      } else if owner == shard {
        listRequests.append((partition, request))
      } else {
        effects.posts.append((owner, .list(partition: partition, request)))
      }
    }
  }

  package func cancel(_ exchange: ExchangeID) {
    for (token, partition) in operations.tokens(of: exchange) {
      cancel(token, partition)
      _ = operations.remove(token)
    }
  }

  /// Whoever waits is told that the node ends, and can wait at another one. A wait may last a minute, and no shutdown
  /// takes so long.
  func refuseWaits() {
    for (token, partition) in operations.waits() {
      cancel(token, partition)
      finish(token, .refused(.shuttingDown))
    }
  }

  private func cancel(_ token: UInt64, _ partition: Int) {
    let owner = shard(ofPartition: partition)
    if owner == shard {
      cancels.append((partition, token))
    } else {
      effects.posts.append((owner, .cancel(partition: partition, token: token)))
    }
  }

  /// An outcome has come: it goes to the session that asked, on this thread or on the one whose token it is.
  func finish(_ token: UInt64, _ outcome: Outcome) {
    let home = OperationTable.shard(of: token)
    guard home == shard else { return effects.posts.append((home, .outcome(token: token, outcome))) }
    switch operations.remove(token) {
    case .operation(let exchange, let part, _):
      guard let session = sessions[exchange.session] else { return }
      session.complete(exchange.exchange, part: part, outcome, now: now, host: self)
      touch(session, exchange.session)
    case .change(let step): changeStepped(step, outcome)
    case .listing, nil: break
    }
  }

  func finish(list token: UInt64, _ page: ListPage?) {
    let home = OperationTable.shard(of: token)
    guard home == shard else { return effects.posts.append((home, .page(token: token, page))) }
    guard case .listing(let id) = operations.remove(token), var listing = listings.removeValue(forKey: id) else {
      return
    }
    listing.add(page)
    guard listing.waitingFor == 0 else {
      listings[id] = listing
      return
    }
    guard let session = sessions[listing.exchange.session] else { return }
    session.complete(list: listing.exchange.exchange, listing.merged(), now: now, host: self)
    touch(session, listing.exchange.session)
  }
}

extension Action {
  /// The bytes of a value that the action carries.
  fileprivate var bytes: Int {
    switch self {
    case .put(let value), .append(let value): value.count
    case .read, .settle, .delete, .add, .max, .min: 0
    }
  }
}
